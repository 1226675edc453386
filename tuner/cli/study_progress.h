#pragma once
// What a live display knows: counts, running trials, the best, how long it may still take.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/best_so_far.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/status.h"

namespace tune::cli {

// Follows the events of one run, starting from what the store already holds. Owned by a status display, used
// on the loop's thread. Keeps nothing of trials that have ended but their number and durations.
class StudyProgress {
 public:
  struct Running {
    int attempt = 0;
    SteadyTime since{};
    std::vector<std::string> devices;
    std::string metric;  // the one shown: the objective once it was seen
    std::optional<MetricPoint> point;
  };
  struct Best {
    int trial = 0;
    double value = 0;
  };

  StudyProgress(const store::StudyRow& study, const std::vector<store::TrialRow>& trials, const Clock& clock);
  // Of a study that another process runs: what it had begun before. `now` as the attempt's times have it.
  void take_up(const store::AttemptRow& attempt, WallTime now);
  void apply(const engine::StatusEvent& event);

  const std::string& study() const { return study_; }
  const Objective& objective() const { return objective_; }
  const std::map<int, Running>& running() const { return running_; }
  // Of the search alone.
  int completed() const { return completed_; }
  int stopped() const { return stopped_; }
  int failed() const { return failed_; }
  bool is_paused(int trial) const { return paused_.contains(trial); }
  int paused() const { return static_cast<int>(paused_.size()); }
  int finished() const { return completed_ + stopped_ + failed_; }
  int replicated() const { return replicated_; }  // replicates that have ended, which the others do not count
  std::optional<int> trial_limit() const { return trial_limit_; }
  std::optional<Best> best() const { return best_; }
  // Of a study with two objectives: how many trials are on the front.
  std::optional<std::size_t> front() const { return second_ ? std::optional(so_far_.size()) : std::nullopt; }
  const std::optional<Objective>& second() const { return second_; }
  bool is_new_best(const engine::StatusEvent& event) const;  // asked before the event is applied
  bool draining() const { return draining_; }
  // The last step of a full training where the spec says it (`fixed.epochs`).
  std::optional<std::int64_t> last_step() const { return last_step_; }
  SteadyTime now() const { return clock_.steady_now(); }
  Milliseconds elapsed() const;                   // over all runs of the study
  std::optional<Milliseconds> remaining() const;  // an estimate; nullopt while there is nothing to judge by

 private:
  double slots() const;  // how many trials run at once
  // How long a trial takes: the median of those that have ended, else what the steps of the running ones
  // promise; nullopt while neither says anything.
  std::optional<double> trial_ms() const;
  void count_end(int trial, TrialState state);
  void take_limits(const Json& limits);

  std::string study_;
  Objective objective_;
  std::optional<Objective> second_;
  BestSoFar so_far_;
  const Clock& clock_;
  SteadyTime start_;
  Milliseconds elapsed_before_{0};
  std::optional<int> trial_limit_;
  std::optional<Milliseconds> time_limit_;
  std::optional<std::int64_t> last_step_;
  std::map<int, Running> running_;
  int completed_ = 0, stopped_ = 0, failed_ = 0;
  std::set<int> paused_;                // trials
  std::set<int> replicates_, repeats_;  // no trials of the search
  int replicated_ = 0;
  std::optional<int> parallel_;
  std::size_t most_running_ = 1;
  std::vector<double> durations_ms_;  // of the trials that have ended, ascending
  std::optional<Best> best_;          // of one objective
  bool draining_ = false;
};

}  // namespace tune::cli
