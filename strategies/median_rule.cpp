#include "strategies/median_rule.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace tune::strategies {
namespace {

// The mean of the finite values up to `step`; nullopt for a curve that did not get that far or has none.
std::optional<double> running_average(const std::vector<MetricPoint>& curve, std::int64_t step) {
  if (curve.empty() || curve.back().step < step) return std::nullopt;
  double mean = 0;
  double count = 0;
  for (const MetricPoint& point : curve) {
    if (point.step > step) break;
    if (!std::isfinite(point.value)) continue;
    ++count;
    // Divided first, so that values near the largest double cannot overflow a sum.
    mean += point.value / count - mean / count;
  }
  if (count == 0) return std::nullopt;
  return mean;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return *std::max_element(values.begin(), middle) / 2 + *middle / 2;
}

// Six digits suit people; NaN and infinities print as such.
std::string for_people(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

}  // namespace

MedianRule::MedianRule(const EarlyStopping& spec, const Objective& objective)
    : min_trials_(static_cast<std::size_t>(std::max(spec.min_trials, 1))),
      start_step_(spec.start_step),
      objective_(objective) {}

Verdict MedianRule::judge(const TrialView& trial, const History& history) {
  if (trial.curve.empty() || trial.curve.back().step < start_step_) return {};
  const auto [step, value] = trial.curve.back();
  std::vector<double> averages;
  for (const auto& other : history.trials) {
    const bool ended = other->state == TrialState::kCompleted || other->state == TrialState::kStopped;
    if (!ended || other->number == trial.number) continue;
    if (const auto average = running_average(other->curve, step)) averages.push_back(*average);
  }
  if (averages.size() < min_trials_) return {};

  const std::size_t count = averages.size();
  const double threshold = median(std::move(averages));
  if (std::isfinite(value) && !is_better(threshold, value, objective_.goal)) return {};
  const std::string relation = !std::isfinite(value) ? ", which is not a finite number; the median"
                               : objective_.goal == Goal::kMinimize ? ", which is above the median"
                                                                    : ", which is below the median";
  return {Action::kStop, "At step " + std::to_string(step) + " " + objective_.metric + " was " +
                             for_people(value) + relation + " " + for_people(threshold) +
                             " of the running averages of " + std::to_string(count) +
                             " earlier trials up to that step."};
}

}  // namespace tune::strategies
