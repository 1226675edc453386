#include "tuner/report/numbers/leaderboard.h"

#include <algorithm>
#include <cmath>

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

}  // namespace tune::report
