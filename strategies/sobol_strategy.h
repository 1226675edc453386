#pragma once
// Scrambled Sobol points: random search that covers the space evenly.
#include "strategies/sobol_sequence.h"
#include "strategies/strategy.h"

namespace tune::strategies {

// Trial n takes point n - 1 of the study's sequence, so there is no state, and two trials never share a point
// index; in a small discrete space points come again, which is said once none is left.
class SobolStrategy final : public Strategy {
 public:
  SobolStrategy(SearchSpace space, std::uint64_t seed);
  Answer suggest(const History& history, Rng& rng) override;

 private:
  SearchSpace space_;
  std::size_t points_;  // 0 for a continuous space
  SobolSequence sequence_;
};

}  // namespace tune::strategies
