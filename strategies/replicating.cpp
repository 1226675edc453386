#include "strategies/replicating.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "strategies/search_view.h"
#include "tuner/core/replication.h"

namespace tune::strategies {
namespace {

const TrialView& trial_of(const History& history, int number) {
  return *history.trials[static_cast<std::size_t>(number) - 1];
}

// The best by their own values, each point once.
std::vector<const Replication::Candidate*> repeated(const Replication& replication, const History& history,
                                                    int top) {
  std::vector<const Replication::Candidate*> ranked;
  for (const Replication::Candidate& one : replication.candidates()) ranked.push_back(&one);
  std::stable_sort(ranked.begin(), ranked.end(), [&](const auto* a, const auto* b) {
    return is_better(a->first, b->first, history.objective.goal);
  });
  std::vector<const Replication::Candidate*> chosen;
  for (const Replication::Candidate* one : ranked) {
    if (static_cast<int>(chosen.size()) == top) break;
    // What lies outside a space that was amended is no candidate, however good it was.
    if (trial_of(history, one->trial).role != SearchRole::kPoint) continue;
    const ParameterSet& point = trial_of(history, one->trial).parameters;
    if (std::none_of(chosen.begin(), chosen.end(),
                     [&](const auto* other) { return trial_of(history, other->trial).parameters == point; }))
      chosen.push_back(one);
  }
  return chosen;
}

}  // namespace

std::optional<Suggestion> next_replicate(const History& history, const Replicates& settings) {
  const Replication replication(history.objective.goal, seed_results(history));
  const std::vector<const Replication::Candidate*> candidates = repeated(replication, history, settings.top);
  const Replication::Candidate* leader = nullptr;
  bool may_judge = true;
  for (const Replication::Candidate* one : candidates) {
    may_judge = may_judge && !one->fresh.empty();
    if (leader == nullptr || is_better(one->mean, leader->mean, history.objective.goal)) leader = one;
  }
  std::map<int, int> begun;  // by the trial that is repeated
  for (const auto& trial : history.trials)
    if (trial->replicate_of) ++begun[*trial->replicate_of];
  const Replication::Candidate* next = nullptr;
  for (const Replication::Candidate* one : candidates) {
    if (begun[one->trial] >= settings.seeds || (may_judge && replication.is_beaten(*one, *leader))) continue;
    if (next == nullptr || begun[one->trial] < begun[next->trial]) next = one;
  }
  if (next == nullptr) return std::nullopt;
  Suggestion suggestion;
  const TrialView& trial = trial_of(history, next->trial);
  suggestion.parameters = trial.parameters;
  suggestion.budget = trial.budget;
  suggestion.replicate_of = next->trial;
  suggestion.brief = "trial " + std::to_string(next->trial) + " again on a fresh seed, " +
                     std::to_string(begun[next->trial] + 1) + " of " + std::to_string(settings.seeds);
  suggestion.note = "replicate: " + suggestion.brief;
  return suggestion;
}

// What the search itself answers; nullopt when it is over.
std::optional<Answer> Replicating::searched(const History& history, Rng& rng) {
  const bool runs = std::any_of(history.trials.begin(), history.trials.end(), [](const auto& trial) {
    return !trial->replicate_of && is_open(trial->state);
  });
  if (!history.is_over && (history.may_begin || resumes_)) {
    const std::optional<History> view = with_means(history);
    Answer answer = inner_->suggest(view ? *view : history, rng);
    const bool waits = std::holds_alternative<Wait>(answer);
    if (std::holds_alternative<Suggestion>(answer) || (waits && runs)) return answer;
  }
  return runs ? std::optional<Answer>(Wait{}) : std::nullopt;
}

Answer Replicating::suggest(const History& history, Rng& rng) {
  if (auto answer = searched(history, rng)) return *std::move(answer);
  if (settings_)
    if (auto suggestion = next_replicate(history, *settings_)) return *std::move(suggestion);
  // A replicate that ends may bring a beaten one back into the race.
  const bool runs = std::any_of(history.trials.begin(), history.trials.end(),
                                [](const auto& trial) { return is_open(trial->state); });
  if (runs) return Wait{};
  return Exhausted{};
}

}  // namespace tune::strategies
