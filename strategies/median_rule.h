#pragma once
// The median stopping rules.
#include <optional>
#include <string>

#include "strategies/stop_rule.h"

namespace tune::strategies {

// Stops a trial that is worse than the median of the earlier trials at the same step (Golovin et al., "Google
// Vizier", KDD 2017, section 3.2.2). What is compared:
//
// kReached: what the trial has reached so far, as the objective's `reduce` says, with what the others had
// reached by that step. So one noisy epoch does not end a trial whose best counts; with `last`, which has no
// memory, the better of the last two values stands for it. A value that is not finite is passed over unless
// the one before it is not finite either: a trial that has diverged is worse than any median.
//
// kRunningAverage: the trial's newest value with the others' running averages of their finite values up to
// that step, in the form that Amazon SageMaker's automatic model tuning documents. A newest value that is not
// finite counts as worse than any median.
//
// Earlier trials are those that have completed or were stopped and have a point at that step or later; failed
// ones are left out, since their curves end in whatever broke them, and those without a finite value by then.
// With two objectives those alone count that are at least as good in the second one, by what each has shown
// of it: a trial that is behind them is behind in both, and one that has shown nothing of it goes on.
//
// A trial is judged from `start_step` on, once `min_trials` of them exist. Equal to the median goes on.
class MedianRule final : public StopRule {
 public:
  enum class Measure { kReached, kRunningAverage };
  MedianRule(Measure measure, const EarlyStopping& spec, const Objective& objective);
  Verdict judge(const TrialView& trial, const History& history) override;

 private:
  double standing(const std::vector<MetricPoint>& curve) const;
  std::optional<double> peer_standing(const std::vector<MetricPoint>& curve, std::int64_t step) const;
  // `peers`: "3 earlier trials".
  Verdict stop(std::int64_t step, double value, double median, std::size_t count,
               const std::string& peers) const;

  Measure measure_;
  std::size_t min_trials_;
  std::int64_t start_step_;
  Objective objective_;
};

}  // namespace tune::strategies
