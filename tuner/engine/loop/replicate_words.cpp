#include "tuner/engine/loop/replicate_words.h"

#include <cmath>

#include "strategies/replicating.h"
#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/replication.h"

namespace tune::engine {
namespace {

using Candidate = Replication::Candidate;

std::string numbered(const Candidate& one) { return "trial " + std::to_string(one.trial); }

std::string luck_of(const Candidate& one) {
  if (!one.luck) return "was not repeated";
  return "owed " + (*one.luck > 0 ? number_text(*one.luck) : std::string("nothing")) + " to luck";
}

std::string verdict(const Replication& replication, const Objective& objective) {
  const Candidate& winner = *replication.winner();
  const Candidate* first = nullptr;  // what would have been promoted
  for (const Candidate& one : replication.candidates())
    if (first == nullptr || is_better(one.first, first->first, objective.goal)) first = &one;
  std::string text = numbered(winner) + (first == &winner ? " stays the best" : " is the best") + ": mean " +
                     objective.metric + ' ' + number_text(winner.mean) + " of " +
                     plural_text(winner.fresh.size() + 1, "seed");
  if (winner.bound)
    text += (objective.goal == Goal::kMaximize ? ", at least " : ", at most ") + number_text(*winner.bound);
  text += first == &winner
              ? "; its first value, " + number_text(first->first) + ", "
              : "; the best first value, " + number_text(first->first) + " of " + numbered(*first) + ", ";
  return text + luck_of(*first);
}

}  // namespace

std::string replicates_begin(const Replicates& settings) {
  return "the search has ended: its best " +
         (settings.top == 1 ? std::string("trial runs") : std::to_string(settings.top) + " trials run") +
         " again, on up to " + plural_text(settings.seeds, "fresh seed") + (settings.top == 1 ? "" : " each");
}

std::string replicates_result(const History& history, const Replicates& settings, const std::string& end) {
  const Replication replication(history.objective.goal, seed_results(history));
  std::string text;
  if (strategies::next_replicate(history, settings))
    text =
        "the " + end + " left no room for all replicates; `tune resume` with a higher one goes on with them";
  if (replication.fresh_values() == 0) return text;
  return (text.empty() ? "" : text + "; ") + "by its replicates, " + verdict(replication, history.objective);
}

}  // namespace tune::engine
