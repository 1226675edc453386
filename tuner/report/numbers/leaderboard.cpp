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

bool has_replicates(const std::vector<store::TrialRow>& trials) {
  return std::any_of(trials.begin(), trials.end(),
                     [](const store::TrialRow& trial) { return trial.facts.replicate_of.has_value(); });
}

// Where nothing was repeated.
bool is_ranked(const store::TrialRow& trial) {
  return !trial.facts.rerun_of && trial.state == TrialState::kCompleted && !trial.values.empty() &&
         std::isfinite(trial.values.front());
}

}  // namespace

std::vector<store::TrialRow> leaderboard(const std::vector<store::TrialRow>& trials,
                                         const Objective& objective) {
  if (has_replicates(trials)) return by_replicates(trials, objective);
  std::vector<const store::TrialRow*> order;
  for (const auto& trial : trials)
    if (is_ranked(trial)) order.push_back(&trial);
  std::stable_sort(order.begin(), order.end(), [&](const store::TrialRow* a, const store::TrialRow* b) {
    return is_better(a->values.front(), b->values.front(), objective.goal);
  });
  std::vector<store::TrialRow> ranked;
  ranked.reserve(order.size());
  for (const store::TrialRow* trial : order) ranked.push_back(*trial);
  return ranked;
}

std::optional<store::TrialRow> best_trial(const std::vector<store::TrialRow>& trials,
                                          const Objective& objective) {
  if (has_replicates(trials)) {
    auto ranked = by_replicates(trials, objective);
    return ranked.empty() ? std::nullopt : std::optional(std::move(ranked.front()));
  }
  const store::TrialRow* best = nullptr;
  for (const auto& trial : trials)
    if (is_ranked(trial) &&
        (best == nullptr || is_better(trial.values.front(), best->values.front(), objective.goal)))
      best = &trial;
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::optional<store::TrialRow> best_trial(const StudyRows& rows) {
  const std::optional<StudyFront> front = study_front(rows);
  if (!front) return best_trial(rows.trials, rows.study.objective);
  return front->preferred ? std::optional(front->trials[*front->preferred]) : std::nullopt;
}

}  // namespace tune::report
