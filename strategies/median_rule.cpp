#include "strategies/median_rule.h"

#include <algorithm>
#include <cmath>

#include "strategies/curve_standing.h"
#include "tuner/core/number_text.h"
#include "tuner/core/quantile.h"

namespace tune::strategies {
namespace {

// The mean of the finite values; nullopt without any.
std::optional<double> average(const MetricPoint* point, const MetricPoint* end) {
  double mean = 0;
  double count = 0;
  for (; point != end; ++point) {
    if (!std::isfinite(point->value)) continue;
    ++count;
    // Divided first, so that values near the largest double cannot overflow a sum.
    mean += point->value / count - mean / count;
  }
  if (count == 0) return std::nullopt;
  return mean;
}

// Whether the other trial is at least as good in the second objective, going by what each has shown of it.
bool is_no_dearer(const TrialView& other, const TrialView& trial, const Objective& second) {
  const auto theirs = reduce_curve(other.second_curve, second),
             ours = reduce_curve(trial.second_curve, second);
  return theirs && ours && !is_better(*ours, *theirs, second.goal);
}

}  // namespace

MedianRule::MedianRule(Measure measure, const EarlyStopping& spec, const Objective& objective)
    : measure_(measure),
      min_trials_(static_cast<std::size_t>(std::max(spec.min_trials, 1))),
      start_step_(spec.start_step.value_or(1)),
      objective_(objective) {}

double MedianRule::standing(const std::vector<MetricPoint>& curve) const {
  return measure_ == Measure::kReached ? reached(curve, objective_) : curve.back().value;
}

// nullopt for a curve that did not get as far as `step`, or holds nothing finite up to it.
std::optional<double> MedianRule::peer_standing(const std::vector<MetricPoint>& curve,
                                                std::int64_t step) const {
  if (curve.empty() || curve.back().step < step) return std::nullopt;
  // In place: a verdict looks at the curves of all trials.
  const auto beyond =
      std::upper_bound(curve.begin(), curve.end(), step,
                       [](std::int64_t wanted, const MetricPoint& point) { return wanted < point.step; });
  const MetricPoint *begin = curve.data(), *end = begin + (beyond - curve.begin());
  if (begin == end) return std::nullopt;
  if (measure_ == Measure::kRunningAverage) return average(begin, end);
  const double value = reached(begin, end, objective_);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

Verdict MedianRule::judge(const TrialView& trial, const History& history) {
  if (trial.curve.empty() || trial.curve.back().step < start_step_) return {};
  const std::int64_t step = trial.curve.back().step;
  std::vector<double> others;
  for (const auto& other : history.trials) {
    const bool ended = other->state == TrialState::kCompleted || other->state == TrialState::kStopped;
    if (!ended || other->number == trial.number) continue;
    if (history.second && !is_no_dearer(*other, trial, *history.second)) continue;
    if (const auto standing = peer_standing(other->curve, step)) others.push_back(*standing);
  }
  if (others.size() < min_trials_) return {};

  const std::size_t count = others.size();
  std::string peers = std::to_string(count) + " earlier trials";
  if (history.second)
    peers += " with no " + std::string(history.second->goal == Goal::kMinimize ? "more " : "less ") +
             history.second->metric;
  const double threshold = median(std::move(others));
  const double value = standing(trial.curve);
  if (std::isfinite(value) && !is_better(threshold, value, objective_.goal)) return {};
  return stop(step, std::isfinite(value) ? value : trial.curve.back().value, threshold, count, peers);
}

Verdict MedianRule::stop(std::int64_t step, double value, double median, std::size_t count,
                         const std::string& peers) const {
  const bool is_reached = measure_ == Measure::kReached;
  const std::string relation = !std::isfinite(value) ? "which is not a finite number; the median is"
                               : objective_.goal == Goal::kMinimize ? "which is above the median"
                                                                    : "which is below the median";
  const std::string what = !is_reached || !std::isfinite(value) ? " was "
                           : objective_.reduce == Reduce::kLast ? " of its last two steps was at best "
                                                                : " had reached ";
  const std::string reason = "At step " + std::to_string(step) + " " + objective_.metric + what +
                             number_text(value) + ", " + relation + " " + number_text(median) +
                             (is_reached ? " of what " + peers + " had reached by that step."
                                         : " of the running averages of " + peers + " up to that step.");
  const std::string counted = std::to_string(count) + " trials ";
  const std::string peers_text = is_reached ? counted : "the averages of " + counted;
  return {Action::kStop,
          reason,
          "at step " + std::to_string(step) + ": " + objective_.metric + ' ' + number_text(value) +
              ", median of " + peers_text + number_text(median),
          {{"step", step}, {"value", number_to_json(value)}, {"median", median}, {"trials", count}}};
}

}  // namespace tune::strategies
