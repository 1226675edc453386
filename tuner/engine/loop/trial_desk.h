#pragma once
// The trials that run: starts their attempts, has their metrics followed, listens for life, stops them.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "strategies/strategy.h"
#include "tuner/engine/loop/attempt_closer.h"
#include "tuner/engine/loop/desk_parts.h"
#include "tuner/engine/loop/memory_forecast.h"
#include "tuner/engine/loop/metric_follower.h"
#include "tuner/engine/loop/running_trial.h"

namespace tune::engine {

// A supervisor that was not heard of for so many heartbeats is stopped or blocked, and ended.
inline constexpr int kMissedHeartbeats = 12;

// Owned by the loop, on its thread. It decides nothing about which trial comes next, and knows no limits.
class TrialDesk {
 public:
  using Parts = DeskParts;
  explicit TrialDesk(Parts parts);

  int running() const { return static_cast<int>(running_.size()); }
  // The running attempts as items of the bill, each with the lease that it has had so far.
  std::vector<store::AttemptRow> leases() const;

  // Starts an attempt. What kept it from being started, if anything did; the trial is queued then.
  std::optional<Fault> start_new(const strategies::Suggestion& suggestion);
  std::optional<Fault> start_again(int trial);
  std::optional<Fault> start_resumed(const strategies::Suggestion& suggestion);  // of a paused trial
  // Whether there is room for it on a GPU now, as far as is known of the memory that it takes.
  bool has_room_for(int trial) const;
  bool has_room_for(const strategies::Suggestion& suggestion) const;
  // Whether there is room for any trial: for the one that takes least of those that are known.
  bool has_room() const;
  // Takes up an attempt that an earlier run of the loop left; that run was last known to live at
  // `last_alive`. Its end, if nothing of it runs any more.
  std::optional<TrialEnd> adopt(const store::AttemptRow& row, WallTime last_alive);

  void on_progress(AttemptId id);
  // Its turn on a cluster has come.
  void on_begin(AttemptId id, const JobBegin& begin);
  std::optional<TrialEnd> on_exit(const RunnerEvent& event);
  // A sign of life of an attempt's supervisor. Writes nothing.
  void on_alive(AttemptId id);
  // Its trainer has printed nothing, or no metric, for long: that is said.
  void on_quiet(AttemptId id, RunnerEventKind what);
  // Ends the attempts whose supervisors have given no sign of life for long: they are stopped, or blocked.
  void end_unheard(SteadyTime now);
  // Reads the metrics of attempts that grew a while ago; when to call it again, if any has grown since.
  std::optional<SteadyTime> read_due(SteadyTime now);
  void stop_all(StopReason reason, Milliseconds grace);
  // One that runs, for good; `reason` is its trial's.
  void stop_for_good(int trial, const std::string& reason);
  // Only those that have given no metric yet.
  void stop_silent(StopReason reason, Milliseconds grace);
  // Whether a trial runs that a person has asked for.
  bool has_asked_for() const;
  // All but replicates and what a person has asked for.
  void stop_search(StopReason reason, Milliseconds grace);
  // Why paused trials do not go on from where they were, if one that ran has shown that.
  const std::string& pausing_trouble() const { return pausing_trouble_; }
  // Ends a queued or paused trial that will not run again.
  void give_up(int trial, const std::string& reason);

 private:
  // How an attempt begins: its trial is new, runs on from a checkpoint, or runs again without one.
  enum class Beginning { kNew, kFromCheckpoint, kOver };

  // Without a suggestion the trial runs again; a suggestion may be to go on with it.
  std::optional<Fault> start(store::TrialRow trial, const strategies::Suggestion* suggestion);
  ParameterSet parameters_to_run(const store::TrialRow& trial) const;
  Attempt plan(const RunningTrial& running, Beginning beginning) const;
  std::optional<std::uint64_t> memory_for(const ParameterSet& parameters, const Json& overrides,
                                          const std::vector<store::AttemptRow>& attempts) const;
  void commit_plan(const RunningTrial& running, Beginning beginning,
                   const strategies::Suggestion* suggestion);
  void enter_in_book(const store::TrialRow& trial, Beginning beginning);
  void record_start(RunningTrial running, const AttemptRecord& record);
  Fault not_started(RunningTrial& running, const Error& error);
  AttemptRecord record_of(const store::AttemptRow& row) const;
  store::AttemptRow new_attempt(const store::TrialRow& trial) const;
  std::map<std::string, std::int64_t> last_steps(int trial) const;
  std::set<std::string> counted_steps(const store::TrialRow& trial) const;
  void make_folders(const Attempt& attempt) const;
  AttemptRecord launch(const Attempt& attempt);
  TrialEnd finish(RunningTrial& running, const MemoryUse& memory);
  std::optional<Fault> drop_checkpoints_of_others(const store::TrialRow& trial, const Json& overrides) const;
  RunningTrial* find(AttemptId id);
  void read(RunningTrial& running);  // its metrics

  const DeskParts parts_;
  MetricFollower metrics_;
  AttemptCloser closer_;
  MemoryForecast forecast_;
  std::map<int, RunningTrial> running_;  // by trial: at most one live attempt each
  std::set<int> grown_;                  // of those, whose metrics may have grown since they were read
  std::string pausing_trouble_;
  std::set<std::string> said_of_machine_;  // notices
  SteadyTime last_listened_;
  bool is_quiet_usual_ = false;  // a trial about whose silence something was said has completed
};

}  // namespace tune::engine
