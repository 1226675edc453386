#pragma once
// Scrambled Sobol points: random search that covers the space evenly.
#include "strategies/sobol_sequence.h"
#include "strategies/strategy.h"

namespace tune::strategies {

// Trial n takes point n - 1 of the study's sequence, so there is no state, and two trials never share a point
// index.
class SobolStrategy final : public Strategy {
 public:
  SobolStrategy(SearchSpace space, std::uint64_t seed);
  Answer suggest(const History& history, Rng& rng) override;

 private:
  SearchSpace space_;
  SobolSequence sequence_;
};

}  // namespace tune::strategies
