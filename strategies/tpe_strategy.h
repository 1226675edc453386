#pragma once
// The tree-structured Parzen estimator.
#include "strategies/encoded_history.h"
#include "strategies/initial_design.h"
#include "strategies/parzen_mixture.h"
#include "strategies/strategy.h"
#include "strategies/untried_points.h"

namespace tune::strategies {

// Splits the trials into the best tenth (25 at most) and the others, estimates a density of each, makes some
// draws from the first, and takes the one where the first is largest in proportion to the second (Bergstra et
// al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011). Densities are joint over all parameters
// that are active under the same conditions; a group of conditional parameters is estimated from the trials
// that had it, after the parameters that it depends on are chosen. The others include, in this order, stopped
// trials, failed ones, and pending ones, which keeps parallel trials apart. In a discrete space no point is
// repeated while there are others.
//
// Keeps trials' encodings only. One thread.
class TpeStrategy final : public Strategy {
 public:
  TpeStrategy(SearchSpace space, Objective objective, std::uint64_t seed);
  TpeStrategy(const TpeStrategy&) = delete;  // the encoder refers to its siblings
  TpeStrategy& operator=(const TpeStrategy&) = delete;
  Answer suggest(const History& history, Rng& rng) override;

 private:
  struct Sorted {
    std::vector<const HistoryEncoder::Entry*> good, others;  // in order of trial
    std::set<PointKey> tried;
    std::size_t observed = 0, failed = 0, pending = 0;
  };
  struct Group {
    std::vector<ParzenAxis> axes;
    std::size_t any = 0;  // a parameter that is active if and only if the group is
  };
  // A group's densities: of the good trials that had it, and of the others.
  struct Densities {
    ParzenMixture good, others;
  };
  // One a group, made when first asked for.
  class Estimate;

  Sorted sort(const History& history);
  UnitPoint drawn(Estimate& estimate, Rng& rng) const;
  Json explanation(Estimate& estimate, const Sorted& trials, const UnitPoint& unit) const;
  Suggestion estimated(const Sorted& trials, Rng& rng) const;
  Suggestion space_filling(const History& history, const Sorted& trials, Rng& rng) const;
  void add_groups();

  SearchSpace space_;
  Objective objective_;
  Encoding encoding_;
  InitialDesign design_;
  UntriedPoints untried_;
  HistoryEncoder encoder_;
  std::vector<Group> groups_;  // those of parents before those of their children
};

}  // namespace tune::strategies
