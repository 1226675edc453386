#pragma once
// A supervisor's place in a cluster's job, where nothing but files connects it with the runner.
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/supervisor/launch.h"

namespace tune::supervisor {

// What the runner wants of an attempt.
struct JobWord {
  Milliseconds grace{0};
  std::string reason;
};

enum class Claim {
  kTaken,     // the attempt is this supervisor's
  kAnothers,  // the cluster has begun the job a second time
  kGivenUp,   // by the runner
};

// Owned by the supervisor, on its thread. It says who runs the attempt and that it lives, and looks for what
// the runner asks; it ends nothing by itself. The first supervisor of an attempt has it for good: a job that
// the cluster begins a second time, maybe while its first script still runs on a node that was given up,
// finds the place taken.
class JobSeat {
 public:
  explicit JobSeat(const Launch& launch);

  // Throws Error(kEnvironment).
  Claim take();
  // Of an attempt that is another's: tells the runner that its job was begun anew. 0 once it knows, or has
  // no need to; else why it could not be written.
  int say_again() const;
  // Why this program may not run the attempt: it is another build than the one that planned it; else empty.
  const std::string& objection() const { return objection_; }
  // Says that it lives, when that is due.
  void beat(SteadyTime now);
  // What the runner wants by now.
  std::optional<JobWord> look(SteadyTime now);
  SteadyTime due() const;  // of the next beat or look
  // Has the cluster ask what runs on all nodes of the job to end: srun, asked itself, has it killed at once.
  // The process that does so, for the supervisor to reap; 0 where there is one node, or no process to be had.
  pid_t ask_nodes() const;
  // When the attempt must end so that it can still save its state before the job's time is over.
  std::optional<SteadyTime> end() const { return end_; }

 private:
  void write_alive();

  const std::filesystem::path folder_;
  const std::string token_;
  const int nodes_;
  std::string objection_;
  std::int64_t began_ms_ = 0;  // the job, by this node's clock
  int beats_ = 0;
  SteadyTime began_, next_beat_, next_look_;
  std::optional<SteadyTime> end_;
};

}  // namespace tune::supervisor
