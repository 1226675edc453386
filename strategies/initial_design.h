#pragma once
// The trials before there is anything to learn from.
#include <string>

#include "strategies/encoded_history.h"
#include "strategies/sobol_sequence.h"
#include "strategies/strategy.h"

namespace tune::strategies {

// The centre of the space as the first trial: people put ranges around what they believe in. Then scrambled
// Sobol points in the inner part of the ranges, with categories drawn evenly. Immutable.
class InitialDesign {
 public:
  InitialDesign(const SearchSpace& space, const Encoding& encoding, std::uint64_t seed)
      : space_(space), encoding_(encoding), sequence_(space.size(), seed) {}

  // A point for trial `number`: alternative 0 is the trial's own, the others lie further along the sequence.
  // Snapped.
  UnitPoint point(int number, std::uint32_t alternative = 0) const;
  static std::string name(int number) {
    return number == 1 ? "centre of the space" : "Sobol point for trial " + std::to_string(number);
  }
  static std::string brief(int number) { return number == 1 ? "centre of the space" : "Sobol point"; }

 private:
  const SearchSpace& space_;
  const Encoding& encoding_;
  SobolSequence sequence_;
};

}  // namespace tune::strategies
