#pragma once
// The rule that stops what can no longer win, by a prediction of its end.
#include <vector>

#include "strategies/rungs.h"
#include "strategies/stop_rule.h"

namespace tune::strategies {

// How a trial stands on its way, in the metric's units.
struct Progress {
  double reached = 0;   // by now
  double momentum = 0;  // what of it came in the second half of its steps
};

// What a trial still gains until its end: Student's t.
struct GainPrediction {
  double mean = 0, spread = 0;                  // location and scale, in the metric's units
  double freedom = 1;                           // degrees of freedom
  double probability_below(double gain) const;  // in [0, 1]
};

// Learns from trials that have ended what they gained after the same fraction of their steps: Bayesian linear
// regression of the gain on a constant, `reached` and `momentum`, with the conjugate normal-inverse-gamma
// prior (Gelman et al., "Bayesian Data Analysis", 3rd ed., section 14.8). Features are centred and scaled to
// what the trials show. The coefficients' priors are normal around 0 and wide, since narrow ones would draw
// the gains of the best trials, which lie at the edge, to the middle. As many of `earlier` as of `gains`, at
// least two, all finite.
GainPrediction predict_gain(const std::vector<Progress>& earlier, const std::vector<double>& gains,
                            const Progress& now);

// Stops a trial when its end will hardly be better than the best completed trial's (Baker et al.,
// "Accelerating Neural Architecture Search using Performance Prediction", 2017, section 3.3, with
// predict_gain as the regression). Of the trials that it stops, about `risk` at most would have been the
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
