#pragma once
// Every combination of the parameters' values, once.
#include "strategies/strategy.h"

namespace tune::strategies {

// Walks the grid in a fixed order and takes the first point that no trial has had yet. So points of try_first
// are not repeated, a resumed study goes on where it was, and inactive parameters multiply nothing. Exhausted
// at the end. It reads nothing but the parameters of the history's trials.
class GridStrategy final : public Strategy {
 public:
  // Throws Error(kBadSpec) for a continuous parameter without `step` or `levels`.
  explicit GridStrategy(SearchSpace space);
  Answer suggest(const History& history, Rng& rng) override;

 private:
  SearchSpace space_, grid_;  // grid_: with levels in place of ranges
};

}  // namespace tune::strategies
