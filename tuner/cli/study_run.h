#pragma once
// Runs a study for a command: signals, the display, what is printed at the end.
#include <optional>
#include <string>

#include "tuner/cli/command_line/command_line.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/engine/study/run_study.h"

namespace tune::cli {

// The options that `run` and `resume` share.
Options& declare_limits(Options& options);  // --trials, --parallel, --time, --gpus
engine::Overrides limit_overrides(const Parsed& options);
// --gpus: which GPUs this process and its trials may use; "none" for the CPU.
void choose_gpus(const Parsed& options);

// Blocks until the study has ended or was interrupted, and prints its result. SIGINT, SIGTERM and SIGHUP
// drain at first; a second SIGINT or SIGTERM kills. Returns the exit code.
int run_and_report(engine::RunRequest request, bool as_json, Console& console);

}  // namespace tune::cli
