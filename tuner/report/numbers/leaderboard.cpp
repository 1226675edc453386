// The ranking of the trials that completed.
#include <algorithm>
#include <cmath>

#include "tuner/report/numbers/study_report.h"
#include "tuner/report/page/format.h"

namespace tune::report {

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

Json best_json(const std::optional<store::TrialRow>& best) {
  if (!best) return {{"trial", nullptr}};
  return {{"trial", best->number}, {"value", value_json(*best)}, {"parameters", best->parameters}};
}

Table leaderboard_table(const StudyRows& rows, std::size_t most) {
  const CostReport costs = costs_of(rows);
  const bool priced = usd_per_hour(rows.study).has_value();
  auto ranked = leaderboard(rows.trials, rows.study.objective);
  if (ranked.size() > most) ranked.erase(ranked.begin() + static_cast<std::ptrdiff_t>(most), ranked.end());
  const bool any_cut =
      std::any_of(ranked.begin(), ranked.end(), [](const auto& trial) { return !trial.cut.empty(); });
  Table table;
  table.columns = {
      {"trial", Align::kRight}, {rows.study.objective.metric, Align::kRight}, {"time", Align::kRight}};
  if (priced) table.columns.push_back({"cost", Align::kRight});
  if (any_cut) table.columns.push_back({"cut short by"});
  table.columns.push_back({"hyperparameters", Align::kLeft, true});
  for (const auto& trial : ranked) {
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), value_text(trial), seconds_text(cost.lease_seconds)};
    if (priced) row.push_back(usd_text(cost.usd));
    if (any_cut) row.push_back(trial.cut);
    row.push_back(parameters_text(trial.parameters));
  }
  return table;
}

}  // namespace tune::report
