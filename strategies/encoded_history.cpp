#include "strategies/encoded_history.h"

#include <cmath>

namespace tune::strategies {
namespace {

Eigen::MatrixXd stacked(const std::vector<const Eigen::VectorXd*>& rows, Eigen::Index columns) {
  Eigen::MatrixXd matrix(static_cast<Eigen::Index>(rows.size()), columns);
  for (std::size_t i = 0; i < rows.size(); ++i)
    matrix.row(static_cast<Eigen::Index>(i)) = rows[i]->transpose();
  return matrix;
}

bool has_value(const TrialView& trial) { return !trial.values.empty() && std::isfinite(trial.values[0]); }

}  // namespace

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
  Activity active(space_.size());
  for (std::size_t i = 0; i < space_.size(); ++i)
    active[i] = trial->parameters.contains(space_.parameters()[i].name);
  entry.features = encoding_.encode(entry.unit, active);
  return entry;
}

EncodedHistory HistoryEncoder::encode(const History& history, Goal goal) {
  EncodedHistory result;
  std::vector<const Eigen::VectorXd*> observed, ended, pending;
  entries_.reserve(history.trials.size());  // pointers into entries stay good below
  for (std::size_t i = 0; i < history.trials.size(); ++i) {
    const TrialView& trial = *history.trials[i];
    if (is_finished(trial.state)) ++result.finished;
    const Entry& known = entry(i, history.trials[i]);
    if (!known.valid) continue;
    // What another study has tried may be worth trying here.
    if (i >= history.borrowed) result.tried.insert(known.key);
    if (!is_finished(trial.state)) {
      pending.push_back(&known.features);
    } else if (trial.state != TrialState::kFailed && has_value(trial)) {
      observed.push_back(&known.features);
      ended.push_back(&known.features);
      result.outcomes.losses.push_back(EncodedHistory::kSucceeded);
      result.observed_units.push_back(known.unit);
      result.observations.losses.push_back(goal == Goal::kMinimize ? trial.values[0] : -trial.values[0]);
    } else if (trial.state != TrialState::kStopped) {
      ++result.failed;
      ended.push_back(&known.features);
      result.outcomes.losses.push_back(EncodedHistory::kFailed);
    }
  }
  result.observations.features = stacked(observed, encoding_.features());
  result.outcomes.features = stacked(ended, encoding_.features());
  result.pending = stacked(pending, encoding_.features());
  return result;
}

}  // namespace tune::strategies
