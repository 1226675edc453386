#include "tuner/report/numbers/rung_counts.h"

#include <set>

namespace tune::report {

std::vector<RungCount> rung_counts(const StudyRows& rows,
                                   const std::map<int, std::vector<MetricPoint>>& curves) {
  const auto& rungs = rows.study.facts.rungs;
  if (!rungs || rungs->steps.empty()) return {};
  std::vector<RungCount> counts;
  for (const std::int64_t step : rungs->steps) counts.push_back({.step = step});
  counts.push_back({.step = rungs->full_steps});
  std::set<int> ended_by_rule;
  for (const auto& attempt : rows.attempts)
    if (attempt.stop == StopReason::kRule) ended_by_rule.insert(attempt.trial);
  for (const auto& trial : rows.trials) {
    if (trial.facts.replicate_of || trial.facts.rerun_of) continue;
    const auto curve = curves.find(trial.number);
    if (curve == curves.end()) continue;
    RungCount* highest = nullptr;
    for (RungCount& count : counts) {
      if (curve->second.back().step < count.step) break;
      ++count.reached;
      highest = &count;
    }
    if (highest == nullptr) continue;
    highest->stopped += trial.state == TrialState::kStopped && ended_by_rule.contains(trial.number);
    highest->waiting += trial.state == TrialState::kPaused;
  }
  return counts;
}

}  // namespace tune::report
