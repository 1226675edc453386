#pragma once
// Every combination of the parameters' values, once.
#include <vector>

#include "strategies/strategy.h"

namespace tune::strategies {

// Walks the grid in a fixed order, the first parameter slowest (parents before the parameters that depend on
// them), and takes the first point that no trial has had yet. So points of try_first are not repeated, a
// resumed study goes on where it was, and inactive parameters multiply nothing. Exhausted at the end. Reads
// parameters of the history only.
class GridStrategy final : public Strategy {
 public:
  // Throws Error(kBadSpec) for a continuous parameter without `step` or `levels`.
  explicit GridStrategy(SearchSpace space);
  Answer suggest(const History& history, Rng& rng) override;

 private:
  // One digit a parameter, in dependency order; kInactive where the digits before it make the parameter
  // inactive.
  using Digits = std::vector<std::size_t>;

  void fill_from(std::size_t position, Digits& digits, ParameterSet& point) const;
  bool advance(Digits& digits, ParameterSet& point) const;  // false at the end
  std::size_t value_count(std::size_t position) const;
  Json value(std::size_t position, std::size_t digit) const;

  SearchSpace space_;
};

}  // namespace tune::strategies
