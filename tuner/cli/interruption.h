#pragma once
// Signals of people and the system, for commands that run studies.
#include <signal.h>

#include "tuner/engine/loop/study_loop.h"

namespace tune::cli {

// What the signals have said so far, in this process.
engine::Interruption& interruption();
// Whom a signal wakes; nullptr: nobody.
void wake_on_signal(engine::TrialRunner* runner);
// Whether a second signal ends the process at once (exit 130), whatever it waits for.
void end_on_second_signal(bool ends);

// Catches SIGINT, SIGTERM and SIGHUP for as long as it lives, beginning with none; SIGPIPE is ignored from
// then on, as a process's last words may find nobody. A signal that tune was started to ignore stays ignored:
// SIGHUP under nohup, SIGINT in a script's background job.
class SignalsCaught {
 public:
  SignalsCaught();
  ~SignalsCaught();
  SignalsCaught(const SignalsCaught&) = delete;
  SignalsCaught& operator=(const SignalsCaught&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[3]{};
};

}  // namespace tune::cli
