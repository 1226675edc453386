#include "strategies/prediction_rule.h"

#include <algorithm>
#include <cmath>

#include "strategies/curve_standing.h"
#include "tuner/core/number_text.h"

namespace tune::strategies {
namespace {

constexpr double kFirstFraction = 0.1;  // of a training, where nothing is judged
// The risk is of all judgements of a trial together. Those that follow closely say nearly the same, so they
// count as one each time the steps have doubled: between a tenth of the steps and all, three to four times.
constexpr double kLooks = 4;
// Behind it an end costs little, and a value that is final, and a model, are worth more.
constexpr double kLastFraction = 0.9;

std::string percent(double probability) {
  if (probability < 0.001) return "below 0.1 %";
  return number_text(std::round(probability * 1000) / 10) + " %";
}

}  // namespace

PredictionRule::PredictionRule(const EarlyStopping& spec, const Objective& objective)
    : min_trials_(std::max(kLeastEnds, static_cast<std::size_t>(std::max(spec.min_trials, 1)))),
      start_step_(spec.start_step),
      risk_(spec.risk),
      rungs_(spec, objective) {}

std::optional<Progress> PredictionRule::progress_at(const std::vector<MetricPoint>& curve,
                                                    std::int64_t step) const {
  const auto by_now = reached_by(curve, step, rungs_.objective());
  const auto by_half = reached_by(curve, (step + 1) / 2, rungs_.objective());
  if (!by_now || !std::isfinite(*by_now)) return std::nullopt;
  const double half = by_half && std::isfinite(*by_half) ? *by_half : *by_now;
  return Progress{*by_now, *by_now - half};
}

Verdict PredictionRule::judge(const TrialView& trial, const History& history) {
  if (trial.curve.empty()) return {};
  const double correction = rungs_.correction(history);
  const auto full = rungs_.full_steps(trial.parameters, correction);
  const std::int64_t step = trial.curve.back().step;
  if (!full || step >= *full) return {};
  const double first =
      start_step_ ? static_cast<double>(*start_step_) : kFirstFraction * static_cast<double>(*full);
  if (static_cast<double>(step) < first) return {};

  const Goal goal = rungs_.objective().goal;
  std::vector<Progress> earlier;
  std::vector<double> gains;
  std::optional<double> best;
  for (auto other = history.trials.rbegin(); other != history.trials.rend(); ++other) {
    const TrialView& view = **other;
    if (view.state != TrialState::kCompleted || view.values.empty() || view.number == trial.number) continue;
    if (!best || is_better(view.values[0], *best, goal)) best = view.values[0];
    const auto length = rungs_.full_steps(view.parameters, correction);
    if (gains.size() == kMostEnds || !length) continue;
    // The same fraction of its own length.
    const double scaled =
        static_cast<double>(step) / static_cast<double>(*full) * static_cast<double>(*length);
    const auto then = progress_at(view.curve, std::max<std::int64_t>(1, std::llround(scaled)));
    if (!then) continue;
    earlier.push_back(*then);
    gains.push_back(view.values[0] - then->reached);
  }
  if (gains.size() < min_trials_) return {};

  const std::string metric = rungs_.objective().metric;
  const std::string where = "at step " + std::to_string(step) + " of " + std::to_string(*full);
  const double value = reached(trial.curve, rungs_.objective());
  if (!std::isfinite(value))
    return {Action::kStop,
            "Its " + metric + ' ' + where + " was " + number_text(trial.curve.back().value) +
                ", which is not a finite number.",
            where + ": " + metric + ' ' + number_text(trial.curve.back().value),
            {{"step", step}, {"value", number_to_json(trial.curve.back().value)}}};
  const auto now = progress_at(trial.curve, step);
  if (!now || static_cast<double>(step) > kLastFraction * static_cast<double>(*full)) return {};
  const GainPrediction gain = GainModel::fit(earlier, gains, {}).predict(*now, {});
  const double below = gain.probability_below(*best - now->reached);
  const double chance = goal == Goal::kMinimize ? below : 1 - below;
  if (!(chance < risk_ / kLooks)) return {};
  const std::string end = number_text(now->reached + gain.mean);
  return {Action::kStop,
          "The chance that it ends better than the best so far, " + number_text(*best) + ", is " +
              percent(chance) + ": " + where + ' ' + metric + " had reached " + number_text(now->reached) +
              ", which leads to " + end + " as " + std::to_string(gains.size()) + " completed trials went.",
          where + ": " + metric + ' ' + number_text(now->reached) + ", leads to " + end + ", best " +
              number_text(*best),
          {{"step", step},
           {"value", now->reached},
           {"predicted", number_to_json(now->reached + gain.mean)},
           {"best", *best},
           {"chance", number_to_json(chance)},
           {"trials", gains.size()}}};
}

}  // namespace tune::strategies
