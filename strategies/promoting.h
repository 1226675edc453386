#pragma once
// Paused trials that deserve to go on, in front of any strategy.
#include <memory>
#include <optional>

#include "strategies/rungs.h"
#include "strategies/strategy.h"

namespace tune::strategies {

// The other half of successive halving that pauses (Li et al., MLSys 2020, algorithm 2): before a new trial
// is begun, a paused one goes on if it is among the best 1 / eta of its rung; of several, one at the highest
// rung. One that waits below every rung goes on too: it was paused before completed trials showed how long a
// training is.
//
// When no new trial may begin and nothing runs, it also lets go on what would be lost otherwise: a paused
// trial that stands better at its rung than every completed one did, the best of the highest rung first. So a
// study never ends with its likely winner half trained.
//
// A strategy that has weighed the paused trials itself (Suggestion::weighs_paused) is followed: it knows more
// than their places.
//
// Does nothing for a rule that does not pause. Owns the inner strategy.
class Promoting final : public Strategy {
 public:
  Promoting(std::unique_ptr<Strategy> inner, const EarlyStopping& rule, const Objective& objective)
      : inner_(std::move(inner)), min_trials_(rule.min_trials), rungs_(rule, objective) {}
  Answer suggest(const History& history, Rng& rng) override;

 private:
  struct Candidate {
    Rungs::Standing standing;
    std::size_t rung;      // 0: the highest
    std::int64_t step;     // of the rung
    std::size_t place;     // among those that have come to the rung, from 1
    std::size_t count;     // of those; 0 for a trial that waits below every rung
    bool leads_completed;  // stands better than each completed trial did
  };
  std::vector<Candidate> candidates(const History& history) const;
  std::optional<Suggestion> promoted(const std::vector<Candidate>& candidates) const;
  std::optional<Suggestion> last_chance(const std::vector<Candidate>& candidates) const;
  Suggestion resumed(const Candidate& candidate, const std::string& why) const;

  std::unique_ptr<Strategy> inner_;
  int min_trials_;
  Rungs rungs_;
};

// The strategy itself, or within a Promoting where the rule pauses.
std::unique_ptr<Strategy> with_promotions(std::unique_ptr<Strategy> strategy, const EarlyStopping& rule,
                                          const Objective& objective);

}  // namespace tune::strategies
