#include "strategies/random_strategy.h"

namespace tune::strategies {

std::vector<double> uniform_coordinates(std::size_t count, Rng& rng) {
  std::vector<double> unit(count);
  for (double& u : unit) u = rng.uniform();
  return unit;
}

Answer RandomStrategy::suggest(const History&, Rng& rng) {
  Suggestion suggestion;
  suggestion.parameters = space_.from_unit(uniform_coordinates(space_.size(), rng));
  suggestion.note = space_.size() == 0 ? "the fixed values" : "random point";
  return suggestion;
}

}  // namespace tune::strategies
