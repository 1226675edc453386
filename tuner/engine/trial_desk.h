#pragma once
// The trials that run: starts their attempts, follows their metrics, stops losers, records how they ended.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "strategies/stop_rule.h"
#include "strategies/strategy.h"
#include "tuner/engine/attempt_files.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/history_book.h"
#include "tuner/engine/journal.h"
#include "tuner/engine/outcome.h"
#include "tuner/engine/trial_runner.h"

namespace tune::engine {

// Metrics are read this often at most, so that a flood costs few transactions and a short trial a single one.
inline constexpr Milliseconds kReadInterval{50};

// A supervisor that was not heard of for so many heartbeats is stopped or blocked, and ended.
inline constexpr int kMissedHeartbeats = 12;

// How an attempt of a trial ended, after it was recorded. `state` is kQueued when the trial is to run again.
struct TrialEnd {
  int trial = 0;
  TrialState state = TrialState::kFailed;
  std::string failure, reason;
  Milliseconds lasted{0};
  store::AttemptRow attempt;
  bool has_metrics = false;    // of a failed or stopped trial: any metric was read
  std::optional<Fault> fault;  // why it runs again, where that was no trial's doing
};

// Owned by the loop, on its thread. It decides nothing about which trial comes next, and knows no limits.
class TrialDesk {
 public:
  struct Parts {
    StudyFrame frame;
    store::StudyStore& store;
    strategies::StopRule& stop_rule;
    TrialRunner& runner;
    const Clock& clock;
    Status& status;
    Journal& journal;
    HistoryBook& book;
    // What has become of the set-up since the run began, asked when a trial has failed; empty: nobody knows.
    std::function<std::optional<Fault>()> set_up_fault = {};
  };
  explicit TrialDesk(Parts parts);

  int running() const { return static_cast<int>(running_.size()); }
  // The running attempts, each with the lease that it has had so far.
  std::vector<store::AttemptRow> leases() const;

  // Starts an attempt. What kept it from being started, if anything did; the trial is queued then.
  std::optional<Fault> start_new(const strategies::Suggestion& suggestion);
  std::optional<Fault> start_again(int trial);
  std::optional<Fault> start_resumed(const strategies::Suggestion& suggestion);  // of a paused trial
  // Takes up an attempt that an earlier run of the loop left; that run was last known to live at
  // `last_alive`. Its end, if nothing of it runs any more.
  std::optional<TrialEnd> adopt(const store::AttemptRow& row, WallTime last_alive);

  void on_progress(AttemptId id);
  std::optional<TrialEnd> on_exit(AttemptId id);
  // A sign of life of an attempt's supervisor. Writes nothing.
  void on_alive(AttemptId id);
  // Its trainer has printed nothing, or no metric, for long: that is said.
  void on_quiet(AttemptId id, RunnerEventKind what);
  // Ends the attempts whose supervisors have given no sign of life for long: they are stopped, or blocked.
  void end_unheard(SteadyTime now);
  // Reads the metrics of attempts that grew a while ago; when to call it again, if any has grown since.
  std::optional<SteadyTime> read_due(SteadyTime now);
  void stop_all(const char* reason, Milliseconds grace);
  // Only those that have given no metric yet.
  void stop_silent(const char* reason, Milliseconds grace);
  // Ends a queued trial that will not run again.
  void give_up(int trial, const std::string& reason);

 private:
  struct Running {
    store::TrialRow trial;
    store::AttemptRow attempt;
    SteadyTime started;
    SteadyTime read_at;       // metrics are not read before
    bool grown = false;       // since they were read
    bool stopping = false;    // the rule's verdict was sent; the attempt's reason is that verdict
    bool adopted = false;     // an earlier run of the loop started it
    UnreadLines unread = {};  // of the objective
    std::optional<Milliseconds> heartbeat = {};  // absent: nothing is heard of its supervisor anyway
    SteadyTime::duration unheard{0};             // how long nothing was heard while the loop listened
    std::string ended_unheard = {};              // why it was ended for that
    bool was_quiet = false;                      // and that was said
    bool said_dropped = false;                   // lines of another attempt were found, and that was said
  };
  std::optional<Fault> start(store::TrialRow trial, bool is_new);
  Fault not_started(Running& running, const Error& error);
  std::optional<Fault> fault_of(const Running& running, const AttemptOutcome& outcome) const;
  AttemptRecord record_of(const store::AttemptRow& row) const;
  store::AttemptRow new_attempt(const store::TrialRow& trial) const;
  std::map<std::string, std::int64_t> last_steps(int trial) const;
  std::set<std::string> counted_steps(const store::TrialRow& trial) const;
  void make_folders(const Attempt& attempt) const;
  AttemptRecord launch(const Attempt& attempt);
  void read(Running& running);
  void take_piece(Running& running, const MetricTail& tail);
  void take_in(Running& running, const MetricTail& tail);
  void judge(Running& running);
  void write_notice(Journal::Entry& entry, const Running& running, const MetricNotice& notice) const;
  void remember_notices(const MetricTail& tail);
  bool was_said(const MetricNotice& notice) const;
  void warn_of_late_output(const Running& running, Milliseconds lasted);
  void write_metrics(Journal::Entry& entry, const Running& running, const MetricTail& tail) const;
  AttemptOutcome outcome_of(const Running& running, const std::optional<ExitReport>& report,
                            const std::string& spoilt) const;
  TrialEnd finish(Running& running);
  Milliseconds close_attempt(Running& running, const std::optional<ExitReport>& report,
                             const AttemptOutcome& outcome) const;
  void close_trial(store::TrialRow& trial, const AttemptOutcome& outcome) const;
  void write_end(Journal::Entry& entry, const Running& running, const AttemptOutcome& outcome) const;
  void write_cut_lines(Journal::Entry& entry, const Running& running, std::uint64_t count) const;
  bool is_new_best(const AttemptOutcome& outcome) const;

  Parts parts_;
  std::map<int, Running> running_;  // by trial: at most one live attempt each
  std::set<std::pair<std::string, std::string>>
      said_;  // notices: the metric (none: of the machine), and what about it
  std::optional<double> best_;
  SteadyTime last_listened_;
  bool is_quiet_usual_ = false;  // a trial about whose silence something was said has completed
};

}  // namespace tune::engine
