#include "strategies/encoded_history.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "strategies/curve_forecast.h"
#include "strategies/curve_standing.h"
#include "tuner/core/moments.h"

namespace tune::strategies {
namespace {

Eigen::MatrixXd stacked(const std::vector<const Eigen::VectorXd*>& rows, Eigen::Index columns) {
  Eigen::MatrixXd matrix(static_cast<Eigen::Index>(rows.size()), columns);
  for (std::size_t i = 0; i < rows.size(); ++i)
    matrix.row(static_cast<Eigen::Index>(i)) = rows[i]->transpose();
  return matrix;
}

// Stopped, or paused, since its values were no numbers any more: what was finite before says nothing good.
bool has_diverged(const TrialView& trial, const Objective& objective) {
  return is_cut_short(trial.state) && !trial.curve.empty() && !std::isfinite(reached(trial.curve, objective));
}

// Whether no trial has measured the second objective again: a latency or a size that is known at the start.
bool is_measured_once(const History& history) {
  return std::all_of(history.trials.begin(), history.trials.end(),
                     [](const auto& trial) { return trial->second_curve.size() <= 1; });
}

// The history of the second objective by itself. Its curve stands still where the trial has gone on without
// another value of it.
History second_history(const History& history) {
  History second = history;
  second.objective = *history.second;
  second.second.reset();
  for (auto& trial : second.trials) {
    auto view = std::make_shared<TrialView>(*trial);
    view->curve = trial->second_curve;
    const bool goes_on =
        !view->curve.empty() && !trial->curve.empty() && trial->curve.back().step > view->curve.back().step;
    if (goes_on) view->curve.push_back({trial->curve.back().step, view->curve.back().value});
    view->values.clear();
    if (trial->values.size() > 1) view->values = {trial->values[1]};
    trial = std::move(view);
  }
  return second;
}

// The error of values of which nothing says how they would have gone on: trials that were cut short without a
// curve, of which ask-tell was told the value alone, or a study that this one learns from.
double error_without_curve(const History& history, Goal goal) {
  std::vector<double> losses;
  for (const auto& trial : history.trials)
    if (const auto loss = observed_loss(*trial, goal)) losses.push_back(*loss);
  return losses.size() < 2 ? 0 : CurveForecast::kOwnShare * std::sqrt(population_variance(losses));
}

// What a trial that has not failed says of its end. `value`: what it has reached, where it has ended or
// waits; `without_curve`: the error of that where no curve says how it would have gone on.
std::optional<CurveEvidence> evidence_of(const TrialView& trial, const std::optional<double>& value,
                                         CurveForecast& forecast, double without_curve) {
  if (trial.state == TrialState::kFailed) return std::nullopt;
  if (trial.state == TrialState::kCompleted || trial.curve.empty())
    return value ? std::optional(CurveEvidence{*value, is_cut_short(trial.state) ? without_curve : 0})
                 : std::nullopt;
  const auto seen = forecast.evidence(trial);
  // A curve that tells nothing of the end still says that the trial was there: without it the search would
  // come back to where it has just stopped.
  if (!seen && value && trial.state == TrialState::kStopped)
    return CurveEvidence{*value, without_curve / CurveForecast::kOwnShare};
  return seen;
}

}  // namespace

bool is_cut_short(TrialState state) { return state == TrialState::kStopped || state == TrialState::kPaused; }

std::optional<double> observed_loss(const TrialView& trial, Goal goal) {
  const bool counts = trial.state == TrialState::kCompleted || is_cut_short(trial.state);
  if (!counts || trial.values.empty() || !std::isfinite(trial.values[0])) return std::nullopt;
  return goal == Goal::kMinimize ? trial.values[0] : -trial.values[0];
}

std::optional<double> second_loss(const TrialView& trial, Goal goal) {
  if (!observed_loss(trial, goal) || trial.values.size() < 2 || !std::isfinite(trial.values[1]))
    return std::nullopt;
  return goal == Goal::kMinimize ? trial.values[1] : -trial.values[1];
}

const HistoryEncoder::Entry& HistoryEncoder::entry(std::size_t index,
                                                   const std::shared_ptr<const TrialView>& trial) {
  if (index >= entries_.size()) entries_.resize(index + 1);
  Entry& entry = entries_[index];
  if (entry.trial == trial) return entry;
  // A trial that moved on keeps its point.
  const bool same_point = entry.trial && entry.trial->parameters == trial->parameters;
  entry.trial = trial;
  if (same_point) return entry;
  entry.valid = !space_.objection(trial->parameters);
  if (!entry.valid) return entry;
  entry.unit = space_.to_unit(trial->parameters, 0.5);
  entry.key = point_key(space_, trial->parameters);
  entry.active.resize(space_.size());
  for (std::size_t i = 0; i < space_.size(); ++i)
    entry.active[i] = static_cast<char>(trial->parameters.contains(space_.parameters()[i].name));
  entry.features = encoding_.encode(entry.unit, entry.active);
  return entry;
}

EncodedHistory HistoryEncoder::encode(const History& history, Goal goal) {
  EncodedHistory result;
  std::vector<const Eigen::VectorXd*> observed, paired, ended, pending, timed, lost;
  reserve(history.trials.size());  // pointers into entries stay good below
  std::vector<const Eigen::VectorXd*> features;
  for (std::size_t i = 0; i < history.trials.size(); ++i) {
    const Entry& known = entry(i, history.trials[i]);
    features.push_back(known.valid ? &known.features : nullptr);
  }
  const double without_curve = error_without_curve(history, goal);
  CurveForecast forecast(history, stopping_, features);
  const std::optional<History> second =
      history.second ? std::optional(second_history(history)) : std::nullopt;
  const bool is_second_final = second && is_measured_once(history);
  std::optional<CurveForecast> second_forecast;
  if (second) second_forecast.emplace(*second, stopping_, features);
  const double second_without_curve = second ? error_without_curve(*second, second->objective.goal) : 0;
  for (std::size_t i = 0; i < history.trials.size(); ++i) {
    const TrialView& trial = *history.trials[i];
    const Entry& known = entry(i, history.trials[i]);
    if (!known.valid) continue;
    if (is_finished(trial.state)) ++result.finished;
    // What another study has tried may be worth trying here.
    if (i >= history.borrowed) result.tried.insert(known.key);
    const auto length = forecast.full_steps(trial);
    if (length && trial.step_seconds > 0) {
      timed.push_back(&known.features);
      result.prices.push_back(trial.step_seconds * static_cast<double>(*length));
    }
    const bool diverged = has_diverged(trial, history.objective);
    const auto value = diverged ? std::nullopt : observed_loss(trial, goal);
    const std::optional<CurveEvidence> seen = evidence_of(trial, value, forecast, without_curve);
    const bool waits_unknown = trial.state == TrialState::kPaused && !seen && !diverged;
    if (is_open(trial.state) || waits_unknown) pending.push_back(&known.features);
    if (seen) {
      observed.push_back(&known.features);
      result.observations.trials.push_back(static_cast<int>(i) + 1);
      result.observations.losses.push_back(seen->loss);
      result.observations.deviations.push_back(seen->deviation);
      result.observed_units.push_back(known.unit);
    }
    if (value) {
      ended.push_back(&known.features);
      result.failed += trial.did_not_fit;
      result.outcomes.losses.push_back(trial.did_not_fit ? EncodedHistory::kFailed
                                                         : EncodedHistory::kSucceeded);
      result.outcomes.trials.push_back(static_cast<int>(i) + 1);
      const auto reached_second = seen && second ? second_loss(trial, second->objective.goal) : std::nullopt;
      std::optional<CurveEvidence> other;
      if (reached_second && is_second_final && trial.second_curve.size() == 1)
        other = CurveEvidence{*reached_second, 0};
      else if (reached_second)
        other = evidence_of(*second->trials[i], reached_second, *second_forecast, second_without_curve);
      if (other) {
        paired.push_back(&known.features);
        result.second_observations.trials.push_back(static_cast<int>(i) + 1);
        result.second_observations.losses.push_back(other->loss);
        result.second_observations.deviations.push_back(other->deviation);
        result.pairs.push_back(result.observations.losses.size() - 1);
      }
    } else if (diverged || (is_finished(trial.state) && trial.state != TrialState::kStopped)) {
      ++result.failed;
      lost.push_back(&known.features);
      ended.push_back(&known.features);
      result.outcomes.losses.push_back(EncodedHistory::kFailed);
      result.outcomes.trials.push_back(static_cast<int>(i) + 1);
    }
  }
  for (auto* deviations : {&result.observations.deviations, &result.second_observations.deviations})
    if (std::all_of(deviations->begin(), deviations->end(), [](double each) { return each == 0; }))
      deviations->clear();
  result.observations.features = stacked(observed, encoding_.features());
  result.second_observations.features = stacked(paired, encoding_.features());
  result.outcomes.features = stacked(ended, encoding_.features());
  result.pending = stacked(pending, encoding_.features());
  result.timed = stacked(timed, encoding_.features());
  result.lost = stacked(lost, encoding_.features());
  return result;
}

}  // namespace tune::strategies
