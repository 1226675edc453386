#pragma once
// Whether the results of a study say that it may end.
#include <optional>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "strategies/strategy.h"
#include "tuner/core/best_so_far.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// limits.target, limits.no_improvement and limits.convergence, whichever comes first; with two objectives a
// trial is better that is new to the front, and there is no target. Owned by the loop, on its thread. It
// decides, and stops nothing. What it knows follows from the rows of ended trials, but for what the strategy
// expects, which a run of the loop learns anew.
class Completion {
 public:
  // Suggestions in a row that expect too little before the search counts as converged: one may be small by
  // chance, when trials that run hold the better points.
  static constexpr int kConverged = 5;

  // With all attempts of the trials: where a trial was given up after its last one, as it waited, no results
  // are news of the search, neither now nor then.
  Completion(const Limits& limits, const Objective& objective, std::vector<store::TrialRow> trials,
             const std::vector<store::AttemptRow>& attempts,
             const std::optional<Objective>& second = std::nullopt);
  // The search had converged in an earlier run, which no row of a trial tells: only replicates are to come.
  void resume_converged() { converged_ = kConverged; }

  void set_limits(const Limits& limits) {
    if (limits.convergence != limits_.convergence) converged_ = 0;
    limits_ = limits;
  }
  // Of a trial of the search: replicates neither improve it nor fail to. `values` of the trial: one an
  // objective.
  void on_end(TrialState state, const std::vector<double>& values);
  void on_suggestion(const strategies::Suggestion& suggestion);
  // Why the study may end; nullopt while it may not.
  std::optional<store::StudyEnd> reached() const;
  // Why no new trial of the search begins, where none does.
  store::StudyEnd end_of_search(bool has_room_for_trials) const;
  // What led to it, for people: "7 trials in a row brought no value better than 0.93".
  std::string sentence() const;

 private:
  double whole() const;  // what limits.convergence is a part of

  Limits limits_;
  Objective objective_;
  bool is_pair_;
  BestSoFar best_;
  std::vector<double> completed_;  // the first values of the completed trials
  int since_best_ = 0;             // completed and stopped trials
  int converged_ = 0;              // suggestions
};

// What the trials are told that a limit of their study stops.
StopReason stop_for(store::StudyEnd limit);
// Whether an earlier run of the study was cut short among the replicates of a search that had converged.
bool had_converged(const store::StudyRow& study);
// Throws Error(kUsage) for limits that a study with this spec cannot have: a target of two objectives, and
// convergence with a strategy that expects nothing of a trial.
void check_limits(const Limits& limits, const Spec& spec);

}  // namespace tune::engine
