#pragma once
// Starting a trainer: a process group of its own, clean descriptors and signals, and an exact reason when it
// fails.
#include <sys/types.h>

#include <optional>
#include <string>

#include "tuner/supervisor/launch.h"

namespace tune::supervisor {

struct TrainerProcess {
  pid_t pid = -1;
  int out = -1, err = -1;  // non-blocking read ends of its stdout and stderr
  // Why the program could not be started, in words and as errno; then the process has ended or never was.
  std::string failure;
  std::optional<int> error;
};

// Blocks until the program is executed or has failed to be. Call it once, from the only thread.
TrainerProcess start_trainer(const Launch& launch);

}  // namespace tune::supervisor
