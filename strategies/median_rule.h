#pragma once
// The median stopping rule.
#include "strategies/stop_rule.h"

namespace tune::strategies {

// Stops a trial whose newest value is worse than the median of the earlier trials' running averages up to the
// same step (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2; in the form that Amazon SageMaker's
// automatic model tuning documents: the current value, not the best so far, is compared).
//
// Earlier trials are those that have completed or were stopped and have a point at that step or later; failed
// ones are left out, since their curves end in whatever broke them. A running average takes the finite values
// of the steps up to and including the current one; a trial without any is left out. A trial is judged from
// `start_step` on, once `min_trials` averages exist. Equal to the median goes on. A value that is not finite
// counts as worse than any median.
class MedianRule final : public StopRule {
 public:
  MedianRule(const EarlyStopping& spec, const Objective& objective);
  Verdict judge(const TrialView& trial, const History& history) override;

 private:
  std::size_t min_trials_;
  std::int64_t start_step_;
  Objective objective_;
};

}  // namespace tune::strategies
