#include "strategies/random_strategy.h"

#include "strategies/point_key.h"

namespace tune::strategies {

std::vector<double> uniform_coordinates(std::size_t count, Rng& rng) {
  std::vector<double> unit(count);
  for (double& u : unit) u = rng.uniform();
  return unit;
}

Answer RandomStrategy::suggest(const History& history, Rng& rng) {
  Suggestion suggestion;
  suggestion.parameters = space_.from_unit(uniform_coordinates(space_.size(), rng));
  suggestion.note = space_.size() == 0 ? "the fixed values" : "random point";
  suggestion.space_is_used_up = space_.size() > 0 && is_used_up(space_, points_, history);
  if (suggestion.space_is_used_up) suggestion.note += "; it repeats a point, since every one has been tried";
  return suggestion;
}

}  // namespace tune::strategies
