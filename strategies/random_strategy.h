#pragma once
// Independent uniform points on the parameters' scales.
#include "strategies/strategy.h"

namespace tune::strategies {

// Stateless; looks at the history only through the trial number that seeds `rng`. Repeats points of small
// spaces, and says so once none is left.
class RandomStrategy final : public Strategy {
 public:
  explicit RandomStrategy(SearchSpace space) : space_(std::move(space)), points_(space_.cardinality()) {}
  Answer suggest(const History& history, Rng& rng) override;

 private:
  SearchSpace space_;
  std::size_t points_;  // 0 for a continuous space
};

// Uniform coordinates for every parameter, in the order of the spec.
std::vector<double> uniform_coordinates(std::size_t count, Rng& rng);

}  // namespace tune::strategies
