#pragma once
// The life of one attempt, from its start to exit.json.
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "tuner/core/clock.h"
#include "tuner/core/stop_reason.h"
#include "tuner/supervisor/attempt_output.h"
#include "tuner/supervisor/exit_file.h"
#include "tuner/supervisor/job_seat.h"
#include "tuner/supervisor/launch.h"
#include "tuner/supervisor/silence.h"
#include "tuner/supervisor/trainer_process.h"

namespace tune::supervisor {

// Stands between the loop and one attempt's process tree, in a process and on a thread of its own; lives in
// main(). Reads the trainer's output, obeys the control socket, ends the tree when told, when time is up,
// when the runner has died or when the main process is gone, and writes exit.json when no process of the tree
// is left. Decides nothing about trials.
class Supervisor {
 public:
  explicit Supervisor(const Launch& launch);
  // The exit code of tune-supervisor: 0 once exit.json is written.
  int run();

 private:
  enum class Phase { kRunning, kTerminating, kKilling };

  int signal_descriptor();
  void wait_for_something();
  int poll_timeout_ms(SteadyTime now) const;
  void on_signals();
  void on_control();
  void on_command(std::string_view line);
  void on_output(Stream stream);
  void reap();
  void keep_time();
  void keep_silences(SteadyTime now);
  void end_silent(const Silence& silence, StopReason reason, const char* what);
  void keep_seat(SteadyTime now);
  bool begins_in_job();
  void say_again();
  Milliseconds verdict_time() const;
  void wait_for_verdict();
  void announce_metrics(SteadyTime now);
  void tell(char what, SteadyTime now);
  // Ends the tree: SIGTERM now, SIGKILL after `grace`. The first reason given while the main process lives is
  // recorded.
  void stop(Milliseconds grace, const std::string& reason);
  void end_tree(Milliseconds grace);
  void ask_tree();
  void signal_tree(int signal);
  void drain_pipes();     // once the tree is empty
  bool may_wait() const;  // for room on the disk
  void write_pending();
  bool finish();
  bool write_exit();

  const Launch& launch_;
  std::optional<JobSeat> seat_;  // of one that runs in a cluster's job
  pid_t asker_ = 0;              // that asks the nodes of the job to end; 0: none was needed
  std::optional<ExitFile> exit_file_;
  AttemptOutput output_;
  TrainerProcess trainer_;
  int signals_ = -1;
  int control_ = -1;
  std::string commands_;  // an unfinished line of the control socket
  std::string asked_;     // the reason of the last stop, also of one that came after the main process's end
  SteadyTime started_;
  std::uint64_t oom_kills_before_ = 0;
  std::optional<int> status_;  // the main process's, once it is reaped
  SteadyTime ended_;           // when that was
  bool tree_is_empty_ = false;
  bool exit_is_blocked_ = false;  // exit.json waits for room on the disk
  Phase phase_ = Phase::kRunning;
  SteadyTime kill_at_;
  std::optional<SteadyTime> wake_at_;
  std::uint64_t announced_bytes_ = 0;
  Silence output_silence_, metric_silence_;
  std::uint64_t heard_metrics_ = 0;
  SteadyTime last_turn_, last_told_;
  ExitRecord record_;
};

}  // namespace tune::supervisor
