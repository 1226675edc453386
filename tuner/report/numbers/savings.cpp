#include "tuner/report/numbers/savings.h"

#include <algorithm>
#include <set>

#include "tuner/core/front.h"
#include "tuner/core/quantile.h"
#include "tuner/report/numbers/leaderboard.h"

namespace tune::report {

std::vector<store::TrialRow> cheapest_and_best(const StudyRows& rows, const CostReport& costs) {
  const std::vector<store::TrialRow> ranked = leaderboard(rows.trials, rows.study.objective);
  std::vector<LossPair> points;
  for (const auto& trial : ranked)
    points.push_back(cost_and_loss(costs.of(trial.number).total.device_hours, trial.values.front(),
                                   rows.study.objective.goal));
  std::vector<store::TrialRow> front;
  for (const std::size_t i : front_of(points)) front.push_back(ranked[i]);
  return front;
}

std::optional<Savings> savings(const StudyRows& rows, const CostReport& costs) {
  std::set<int> ended_by_rule;
  for (const auto& attempt : rows.attempts)
    if (attempt.stop == StopReason::kRule || attempt.stop == StopReason::kPause)
      ended_by_rule.insert(attempt.trial);
  std::vector<double> lease, devices;
  for (const auto& trial : rows.trials) {
    const bool is_of_search = !trial.facts.replicate_of && !trial.facts.rerun_of;
    if (trial.state != TrialState::kCompleted || !is_of_search) continue;
    lease.push_back(costs.of(trial.number).total.lease_seconds);
    devices.push_back(costs.of(trial.number).total.device_hours);
  }
  if (lease.empty()) return std::nullopt;
  const double whole_lease = median(lease), whole_devices = median(devices);
  Savings saved;
  const std::optional<double> price = usd_per_hour(rows.study);
  for (const auto& trial : rows.trials) {
    const bool has_ended = trial.state == TrialState::kStopped || trial.state == TrialState::kPaused;
    if (!has_ended || ended_by_rule.count(trial.number) == 0) continue;
    const Cost spent = costs.of(trial.number).total;
    // Negative for one that took longer than the median in spite of its end: what is long is stopped later.
    saved.cost.lease_seconds += whole_lease - spent.lease_seconds;
    saved.cost.device_hours += whole_devices - spent.device_hours;
    ++saved.trials;
  }
  if (saved.trials == 0) return std::nullopt;
  saved.cost.lease_seconds = std::max(0.0, saved.cost.lease_seconds);
  saved.cost.device_hours = std::max(0.0, saved.cost.device_hours);
  if (price) saved.cost.usd = saved.cost.device_hours * *price;
  return saved;
}

}  // namespace tune::report
