#pragma once
// Asynchronous successive halving, with one bracket or with those of Hyperband.
#include "strategies/rungs.h"
#include "strategies/stop_rule.h"

namespace tune::strategies {

// A trial that reaches a rung goes on if it is among the best 1 / eta of all that have reached it, itself
// included (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, section 3.2).
//
// StopForm::kStop: the others are stopped for good (the form that Syne Tune calls "stopping"), and the first
// min_trials - 1 (at least eta - 1) go on in any case.
// StopForm::kPause: the others wait with their checkpoints, the first ones too, until Promoting finds them
// among the best.
//
// A trial that has diverged at the first rung or later is stopped in either form, if another one had a finite
// value there. Failed trials do not count.
//
// The rule `auto` that stops is asha that keeps an eye on itself: probes run to their ends, and a rung is
// left out where the order of trials tells little about them (Rungs::is_probe() and is_trusted()). Where
// trials pause, a wrong verdict is taken back, and `auto` is asha: the probes cost more device time than they
// saved, on functions whose early values mislead, too.
class SuccessiveHalvingRule final : public StopRule {
 public:
  SuccessiveHalvingRule(const EarlyStopping& spec, const Objective& objective);
  Verdict judge(const TrialView& trial, const History& history) override;
  std::optional<RungPlan> rungs(const History& history) const override;

 private:
  Verdict judge_diverged(const TrialView& trial, const History& history) const;

  StopForm form_;
  std::size_t min_trials_;
  bool is_auto_;
  Rungs rungs_;
};

}  // namespace tune::strategies
