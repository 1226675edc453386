#pragma once
// How a command asks something of a study, whether it runs in another terminal or not.
#include <string>

#include "tuner/cli/command_line/options.h"
#include "tuner/core/json.h"
#include "tuner/spec/spec.h"

namespace tune::cli {

// The stored spec of a study that takes requests. Throws Error(kNotFound); Error(kConflict) for one whose
// trials another program runs, with what that program does in place of the command.
Spec steered_spec(const Parsed& options, const std::string& study, const std::string& command);

// Hands the request to the study's orchestrator, or does it at once where none runs, and prints what was
// done. Throws what the answer says: Error(kUsage), (kNotFound), (kConflict); Error(kConflict) for what would
// change the trials of a comparison's study; Error(kEnvironment) when the study runs on another machine or
// its orchestrator does not answer; Error(kInterrupted) when a signal ends the wait for an answer.
int steer(const Parsed& options, const std::string& study, const std::string& command, Json arguments,
          Console& console);

}  // namespace tune::cli
