#pragma once
// Runs a study for a command: signals, the display, what is printed at the end.
#include "tuner/cli/command_line/command_line.h"
#include "tuner/engine/study/run_study.h"

namespace tune::cli {

// Blocks until the study has ended or was interrupted, and prints its result. SIGINT, SIGTERM and SIGHUP
// drain at first; a second SIGINT or SIGTERM kills. Returns the exit code.
int run_and_report(engine::RunRequest request, bool as_json, Console& console);

}  // namespace tune::cli
