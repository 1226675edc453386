#pragma once
// The best trials again on other seeds, behind any strategy.
#include <memory>
#include <optional>

#include "strategies/strategy.h"

namespace tune::strategies {

// The next trial that repeats a good one: once per candidate and fresh seed. The candidates are the `top`
// completed trials with the best values of their own, each point once. The one that was repeated least comes
// first, and of equals the better one. Who is beaten, once each has a fresh value, gets no more seeds
// (Replication::is_beaten): the leader is the one with the best mean. A replicate that fails, or is stopped,
// has had its turn. Several may run at once, so a race may go a few trials further than one after the other
// would. nullopt: no candidate has a turn left.
std::optional<Suggestion> next_replicate(const History& history, const Replicates& settings);

// Asks the inner strategy for as long as new trials may begin and it has any; when it has none left and no
// trial of the search runs, it suggests replicates. Replicates are no part of the search: the inner strategy
// sees none of them, so that places, seeds of designs and numbers stay what they would be, and in place of a
// repeated trial's value it sees the mean over all seeds. Without settings it suggests none; those that the
// history has stay hidden all the same. Owns the inner strategy.
class Replicating final : public Strategy {
 public:
  // `resumes`: the inner strategy may have paused trials go on when no new one may begin.
  Replicating(std::unique_ptr<Strategy> inner, std::optional<Replicates> settings, bool resumes)
      : inner_(std::move(inner)), settings_(settings), resumes_(resumes) {}
  Answer suggest(const History& history, Rng& rng) override;

 private:
  std::optional<Answer> searched(const History& history, Rng& rng);

  std::unique_ptr<Strategy> inner_;
  std::optional<Replicates> settings_;
  bool resumes_;
};

}  // namespace tune::strategies
