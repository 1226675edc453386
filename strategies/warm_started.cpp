#include "strategies/warm_started.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tune::strategies {
namespace {

bool has_result(const TrialView& trial) {
  return trial.state == TrialState::kCompleted && !trial.values.empty() && std::isfinite(trial.values[0]);
}

// The best of each study, in the order of the studies, each point once.
std::vector<const EarlierTrial*> best_trials(const std::vector<EarlierTrial>& all, Goal goal) {
  std::vector<const EarlierTrial*> best;
  for (const EarlierTrial& earlier : all) {
    if (!has_result(*earlier.trial)) continue;
    const auto known = std::find_if(best.begin(), best.end(),
                                    [&](const EarlierTrial* other) { return other->study == earlier.study; });
    if (known == best.end())
      best.push_back(&earlier);
    else if (is_better(earlier.trial->values[0], (*known)->trial->values[0], goal))
      *known = &earlier;
  }
  std::vector<const EarlierTrial*> distinct;
  for (const EarlierTrial* earlier : best) {
    if (std::none_of(distinct.begin(), distinct.end(), [&](const EarlierTrial* other) {
          return other->trial->parameters == earlier->trial->parameters;
        }))
      distinct.push_back(earlier);
  }
  return distinct;
}

}  // namespace

History WarmStarted::with_borrowed(const History& history) {
  History pooled = history;
  pooled.trials = pool_.pool(history);
  pooled.borrowed = pooled.trials.size();
  pooled.repeats = history.repeats;
  pooled.trials.insert(pooled.trials.end(), history.trials.begin(), history.trials.end());
  return pooled;
}

Answer WarmStarted::suggest(const History& history, Rng& rng) {
  if (!history.earlier) return inner_->suggest(history, rng);
  // The inner strategy is asked in any case: a grid that is walked to its end ends the search.
  Answer answer = inner_->suggest(learns_ ? with_borrowed(history) : history, rng);
  const auto position = static_cast<std::size_t>(history.next_number() - 1);
  if (position < skipped_ || !std::holds_alternative<Suggestion>(answer)) return answer;
  const std::vector<const EarlierTrial*> best = best_trials(*history.earlier, goal_);
  if (position - skipped_ >= best.size()) return answer;
  const EarlierTrial& earlier = *best[position - skipped_];
  const bool was_tried = std::any_of(history.trials.begin(), history.trials.end(), [&](const auto& trial) {
    return trial->parameters == earlier.trial->parameters;
  });
  if (was_tried) return answer;
  Suggestion suggestion;
  suggestion.parameters = earlier.trial->parameters;
  suggestion.note = suggestion.brief =
      "the best point of \"" + earlier.study + "\", its trial " + std::to_string(earlier.trial->number);
  suggestion.explanation = {
      {"strategy", "warm_start"}, {"study", earlier.study}, {"trial", earlier.trial->number}};
  return suggestion;
}

}  // namespace tune::strategies
