#pragma once
// What is the machine's fault or the set-up's, and no trial's.
#include <string>

#include "tuner/core/error.h"

namespace tune::engine {

// Keeps attempts from being started, or has ended one. The trial is queued again and the strategy learns
// nothing from it.
struct Fault {
  enum class Kind {
    kSlot,   // another process has taken this slot, or its device is gone: others may be there
    kLack,   // of processes, files, memory or devices: may pass by itself
    kSetUp,  // somebody has to mend it
  };
  Kind kind = Kind::kSetUp;
  std::string message, hint;
  int tries = 1;  // of kLack: so many in a row fail before somebody is asked, while nothing else runs
};

// Whether the system's reason (errno) for not starting a program may pass by itself.
bool may_pass(int reason);
// For a program that could not be started: the system's reason, and what the supervisor says of it.
Fault start_fault(int reason, const std::string& message);
// For an attempt that the runner could not start.
Fault start_fault(const Error& error);

}  // namespace tune::engine
