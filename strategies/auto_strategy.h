#pragma once
// The default strategy.
#include "strategies/bayesian_strategy.h"
#include "strategies/tpe_strategy.h"

namespace tune::strategies {

// Takes for each trial the strategy that suits the space, the results so far and the number of pending
// trials, and says in the note which and why. One thread.
class AutoStrategy final : public Strategy {
 public:
  AutoStrategy(const SearchSpace& space, const Objective& objective, std::uint64_t seed,
               const EarlyStopping& stopping = {});
  Answer suggest(const History& history, Rng& rng) override;

  // Where the Gaussian process gives way to densities.
  static constexpr Eigen::Index kMostFeatures = 120;
  static constexpr std::size_t kMostObservations = 1500, kMostPending = 64;

 private:
  struct Choice {
    Strategy& strategy;
    std::string name, why;
  };
  Choice choose(const History& history);

  Eigen::Index features_;
  Objective objective_;
  BayesianStrategy bayesian_;
  TpeStrategy tpe_;
};

}  // namespace tune::strategies
