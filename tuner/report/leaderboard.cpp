#include <algorithm>
#include <cmath>

#include "tuner/report/format.h"
#include "tuner/report/study_report.h"

namespace tune::report {

StudyRows read_study(const store::StudyStore& store) {
  StudyRows rows{store.study(), store.trials(), store.attempts(), {}};
  for (const auto& trial : rows.trials) {
    if (trial.state != TrialState::kRunning) continue;
    const std::vector<MetricPoint> curve = store.curve(trial.number, rows.study.objective.metric);
    if (!curve.empty()) rows.latest[trial.number] = curve.back();
  }
  return rows;
}

std::vector<store::TrialRow> leaderboard(const std::vector<store::TrialRow>& trials,
                                         const Objective& objective) {
  std::vector<store::TrialRow> ranked;
  for (const auto& trial : trials) {
    const bool counts = trial.state == TrialState::kCompleted && !trial.values.empty();
    if (counts && std::isfinite(trial.values.front())) ranked.push_back(trial);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&](const store::TrialRow& a, const store::TrialRow& b) {
    return is_better(a.values.front(), b.values.front(), objective.goal);
  });
  return ranked;
}

std::optional<store::TrialRow> best_trial(const std::vector<store::TrialRow>& trials,
                                          const Objective& objective) {
  auto ranked = leaderboard(trials, objective);
  if (ranked.empty()) return std::nullopt;
  return std::move(ranked.front());
}

std::map<TrialState, int> count_states(const std::vector<store::TrialRow>& trials) {
  std::map<TrialState, int> counts;
  for (const auto& trial : trials) ++counts[trial.state];
  return counts;
}

std::string counts_text(const std::map<TrialState, int>& counts) {
  std::string text;
  for (const TrialState state : {TrialState::kRunning, TrialState::kQueued, TrialState::kPaused,
                                 TrialState::kCompleted, TrialState::kStopped, TrialState::kFailed}) {
    const auto found = counts.find(state);
    if (found == counts.end() || found->second == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(found->second) + ' ' + to_string(state);
  }
  return text.empty() ? "no trials yet" : text;
}

Json best_json(const std::optional<store::TrialRow>& best) {
  if (!best) return {{"trial", nullptr}};
  return {{"trial", best->number}, {"value", value_json(*best)}, {"parameters", best->parameters}};
}

Table leaderboard_table(const StudyRows& rows, std::size_t most) {
  const CostReport costs(rows.trials, rows.attempts, usd_per_hour(rows.study));
  const bool priced = usd_per_hour(rows.study).has_value();
  Table table;
  table.columns = {
      {"trial", Align::kRight}, {rows.study.objective.metric, Align::kRight}, {"time", Align::kRight}};
  if (priced) table.columns.push_back({"cost", Align::kRight});
  table.columns.push_back({"hyperparameters", Align::kLeft, true});
  for (const auto& trial : leaderboard(rows.trials, rows.study.objective)) {
    if (table.rows.size() == most) break;
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), value_text(trial), seconds_text(cost.lease_seconds)};
    if (priced) row.push_back(usd_text(cost.usd));
    row.push_back(parameters_text(trial.parameters));
  }
  return table;
}

}  // namespace tune::report
