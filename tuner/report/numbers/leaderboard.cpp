#include "tuner/report/numbers/leaderboard.h"

#include <algorithm>
#include <cmath>

#include "tuner/report/numbers/replicated.h"
#include "tuner/report/numbers/study_front.h"

namespace tune::report {
namespace {

std::vector<store::TrialRow> by_replicates(const std::vector<store::TrialRow>& trials,
                                           const Objective& objective) {
  const Replication replication = replication_of(trials, objective);
  std::vector<store::TrialRow> ranked;
  for (const Replication::Candidate* one : replication.ranking())
    ranked.push_back(*std::find_if(trials.begin(), trials.end(),
                                   [&](const auto& trial) { return trial.number == one->trial; }));
  return ranked;
}

}  // namespace

std::vector<store::TrialRow> leaderboard(const std::vector<store::TrialRow>& trials,
                                         const Objective& objective) {
  const bool has_replicates = std::any_of(trials.begin(), trials.end(), [](const store::TrialRow& trial) {
    return trial.facts.replicate_of.has_value();
  });
  if (has_replicates) return by_replicates(trials, objective);
  std::vector<store::TrialRow> ranked;
  for (const auto& trial : trials) {
    const bool counts =
        !trial.facts.rerun_of && trial.state == TrialState::kCompleted && !trial.values.empty();
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

std::optional<store::TrialRow> best_trial(const StudyRows& rows) {
  const std::optional<StudyFront> front = study_front(rows);
  if (!front) return best_trial(rows.trials, rows.study.objective);
  return front->preferred ? std::optional(front->trials[*front->preferred]) : std::nullopt;
}

}  // namespace tune::report
