#pragma once
// One attempt as a job: what its files and Slurm have said of it, and what that means. Values and pure
// functions.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/clock.h"
#include "tuner/core/exit_record.h"
#include "tuner/core/stop_reason.h"
#include "tuner/engine/slurm/job_records.h"
#include "tuner/engine/slurm/slurm_commands.h"

namespace tune::engine {

// From a job's begin to its supervisor's first word. A script that can run says it within seconds, and NFS
// shows its file within 60 s; a site's prolog may look at the node first.
inline constexpr Milliseconds kBeginPatience{300'000};

// A supervisor that was not heard of for so many heartbeats is looked for, or given up though its job runs.
inline constexpr int kSuspectBeats = 3, kUnheardBeats = 12;

// A stop that was asked for.
struct AskedStop {
  Milliseconds grace{0};
  StopReason reason = StopReason::kPerson;
  SteadyTime cancel_at;  // its job is cancelled then, if it is there still
};

struct ClusterJob {
  enum class Stage { kWaiting, kSubmitting, kSubmitted };  // waiting: for the next submission

  AttemptId id;
  std::string token;
  std::filesystem::path folder, launch_file;
  std::map<std::string, std::string> secrets;
  std::optional<Milliseconds> time;  // that Slurm is asked for
  Stage stage = Stage::kWaiting;
  bool was_taken_up = false;  // an earlier orchestrator has started it
  std::string batch;
  int index = 0;
  std::string job;       // Slurm's name for it; empty: not known
  SteadyTime since;      // it was started or taken up here, later: it began
  SteadyTime submitted;  // it was known to be submitted
  WallTime submitted_at{};
  std::optional<AskedStop> stop;

  // By its files.
  bool began = false;
  AliveRecord alive;
  WallTime first_written{};  // the supervisor's begin
  SteadyTime alive_changed, next_beat_look, next_look;
  std::uintmax_t metrics_bytes = 0;
  std::string unheard;                     // why it was given up though its job ran
  std::optional<SteadyTime> unread_since;  // its report is there, and cannot be read

  // By Slurm, or "ENDED", "REQUEUED" by its files.
  std::string state, nodes;
  std::optional<WallTime> start, end;
  std::optional<SteadyTime> running_since;   // it was listed as running, and had not begun by its files
  bool is_gone = false, may_run_on = false;  // it is over, as far as anybody knows
  SteadyTime gone_since;

  // Its supervisor lives, by what it has written lately: whatever Slurm says, or does not.
  bool is_heard_of(SteadyTime now) const {
    return began && !is_gone && now - alive_changed < kSuspectBeats * kJobHeartbeat;
  }
  bool is_of_failed_node() const { return is_gone && state == "NODE_FAIL"; }
};

// When its files are looked at again, with so many others. A young attempt may end at any moment, and all of
// them together cost a file server no more than some hundred questions a second.
Milliseconds look_interval(const ClusterJob& job, std::size_t jobs, SteadyTime now);

// When it began: by Slurm's clock where that is known, else by its node's, as far as that can be.
WallTime begin_of(const ClusterJob& job, WallTime now);

// For how long it held its devices: by Slurm's own times where it has told them, else by those of its script,
// and until now where its report cannot be read.
Milliseconds held_time(const ClusterJob& job, WallTime now);

// A sentence about its node's clock, where that is wrong: what a job says of its begin lies between its
// submission and now. Empty where all is well.
std::string clock_problem(const ClusterJob& job, WallTime now);

// What becomes of an attempt whose job is over, and which has not said how it ended.
struct JobLoss {
  std::optional<ExitRecord> record;  // what its supervisor would have written
  std::string why;                   // without one: it was lost
};
JobLoss loss_of(const ClusterJob& job, SteadyTime now);
std::string node_failure(const ClusterJob& job);

// Why a job that waits may do so for ever, and what helps; empty for an ordinary reason.
std::string hopeless_reason(const SlurmJob& listed);

}  // namespace tune::engine
