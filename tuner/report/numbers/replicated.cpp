#include "tuner/report/numbers/replicated.h"

#include <algorithm>
#include <cmath>

namespace tune::report {

Replication replication_of(const std::vector<store::TrialRow>& trials, const Objective& objective) {
  std::vector<SeedResult> results;
  for (const auto& trial : trials)
    if (!trial.facts.rerun_of && trial.state == TrialState::kCompleted && !trial.values.empty() &&
        std::isfinite(trial.values.front()))
      results.push_back({trial.number, trial.values.front(), trial.facts.replicate_of});
  return {objective.goal, results};
}

RepeatCount count_repeats(const std::vector<store::TrialRow>& trials, int trial) {
  RepeatCount count;
  for (const auto& other : trials) {
    if (other.facts.replicate_of != trial) continue;
    ++count.begun;
    count.failed += other.state == TrialState::kFailed;
  }
  return count;
}

int count_searched(const std::vector<store::TrialRow>& trials) {
  return static_cast<int>(std::count_if(trials.begin(), trials.end(), [](const auto& trial) {
    return !trial.facts.replicate_of && !trial.facts.rerun_of;
  }));
}

}  // namespace tune::report
