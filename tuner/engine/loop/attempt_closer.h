#pragma once
// Ends attempts: what the files of one that has ended say, what that means for its trial, and its record.
#include <optional>
#include <string>

#include "tuner/core/best_so_far.h"
#include "tuner/engine/attempt/outcome.h"
#include "tuner/engine/loop/desk_parts.h"
#include "tuner/engine/loop/metric_follower.h"
#include "tuner/engine/loop/running_trial.h"

namespace tune::engine {

// How an attempt of a trial ended, after it was recorded. `state` is kQueued when the trial is to run again.
struct TrialEnd {
  int trial = 0;
  TrialState state = TrialState::kFailed;
  std::string failure, reason;
  Milliseconds lasted{0};
  store::AttemptRow attempt;
  bool has_metrics = false;     // of a failed or stopped trial: any metric was read
  std::optional<Fault> fault;   // why it runs again, where that was no trial's doing
  std::string pausing_trouble;  // why paused trials of this trainer do not go on; empty: they may
  Milliseconds wait{0};         // before it runs again
};

// Owned by the desk, on the loop's thread.
class AttemptCloser {
 public:
  AttemptCloser(const DeskParts& parts, MetricFollower& metrics);

  // Asked once no process of the attempt is left.
  TrialEnd close(RunningTrial& running, const MemoryUse& memory);

 private:
  AttemptOutcome outcome_of(const RunningTrial& running, const std::optional<ExitReport>& report,
                            const std::string& spoilt, const MemoryUse& memory, Milliseconds lasted) const;
  std::optional<Fault> fault_of(const RunningTrial& running, const AttemptOutcome& outcome) const;
  Milliseconds wait_of(const RunningTrial& running, const AttemptOutcome& outcome) const;
  bool is_new_best(const store::TrialRow& trial, const AttemptOutcome& outcome) const;
  std::optional<SecondEnd> second_end(const RunningTrial& running, Milliseconds lasted) const;
  // For how long the attempt held its devices.
  Milliseconds lasted(const RunningTrial& running, const std::optional<ExitReport>& report) const;
  void close_attempt(RunningTrial& running, const std::optional<ExitReport>& report,
                     const AttemptOutcome& outcome, const MemoryUse& memory, Milliseconds lasted) const;
  void close_trial(store::TrialRow& trial, const AttemptOutcome& outcome) const;
  void write_cut_lines(Journal::Entry& entry, const RunningTrial& running, std::uint64_t count) const;
  void write_end(Journal::Entry& entry, const RunningTrial& running, const AttemptOutcome& outcome) const;

  const DeskParts& parts_;
  MetricFollower& metrics_;
  BestSoFar best_;  // of the study
};

}  // namespace tune::engine
