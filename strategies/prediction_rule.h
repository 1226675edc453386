#pragma once
// The rule that stops what can no longer win, by a prediction of its end.
#include <vector>

#include "strategies/gain_model.h"
#include "strategies/rungs.h"
#include "strategies/stop_rule.h"

namespace tune::strategies {

// Stops a trial when its end will hardly be better than the best completed trial's (Baker et al.,
// "Accelerating Neural Architecture Search using Performance Prediction", 2017, section 3.3, with
// GainModel as the regression). Of the trials that it stops, about `risk` at most would have been the
// best. It judges from a tenth of the full length on, or from `start_step`, once max(min_trials, kLeastEnds)
// trials have completed; of those the last kMostEnds count. A trial that has diverged is stopped then, too.
class PredictionRule final : public StopRule {
 public:
  static constexpr std::size_t kLeastEnds = 6, kMostEnds = 100;
  PredictionRule(const EarlyStopping& spec, const Objective& objective);
  Verdict judge(const TrialView& trial, const History& history) override;

 private:
  std::optional<Progress> progress_at(const std::vector<MetricPoint>& curve, std::int64_t step) const;

  std::size_t min_trials_;
  std::optional<std::int64_t> start_step_;
  double risk_;
  Rungs rungs_;  // for the full lengths of trials
};

}  // namespace tune::strategies
