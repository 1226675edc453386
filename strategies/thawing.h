#pragma once
// Whether a paused trial that goes on promises more than a new one.
#include <optional>
#include <vector>

#include "strategies/rungs.h"
#include "tuner/core/history.h"

namespace tune::strategies {

// What the end of a training is expected to be, in a model's units with smaller values better.
struct ExpectedEnd {
  double mean, variance;
};

struct PausedTrial {
  const TrialView* trial;
  ExpectedEnd end;
  double log_price = 0;  // of its whole training, relative to others
};

// Compares a new point and all paused trials by expected improvement over `best`, the expected end of the
// best completed trial, divided by the price (Snoek et al., "Practical Bayesian Optimization of Machine
// Learning Algorithms", 2012, section 3.2; Swersky et al., "Freeze-Thaw Bayesian Optimization", 2014, section
// 4). The price is the part of a full training that is expected to be spent: the steps to the next rung,
// where it will be seen whether the trial improves on the best, and with the probability that it does those
// to the end.
class Thawing {
 public:
  Thawing(const EarlyStopping& rule, const Objective& objective) : rungs_(rule, objective) {}

  // The paused trial that promises most for its price; nullopt where the new point does.
  std::optional<PausedTrial> choose(const std::vector<PausedTrial>& paused, const ExpectedEnd& new_point,
                                    double log_price, double best, const History& history) const;
  // What a training of `full_steps` is expected to take from `step` on, as part of it, if it improves with
  // this probability.
  double expected_price(std::int64_t step, std::int64_t full_steps, double probability) const;

 private:
  Rungs rungs_;
};

}  // namespace tune::strategies
