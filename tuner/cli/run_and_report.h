#pragma once
// Runs a study for a command: signals, the display, what is printed at the end.
#include "tuner/cli/command_line/options.h"
#include "tuner/engine/study/run_study.h"

namespace tune::cli {

// The options that both commands have that run a study: --detach and --tensorboard.
Options& declare_run(Options& options);
// --runner; Error(kUsage) for what is none.
std::optional<RunnerKind> runner_option(const Parsed& options);

// Blocks until the study has ended or was interrupted, and prints its result. SIGINT, SIGTERM and SIGHUP
// drain at first; a second SIGINT or SIGTERM kills. Returns the exit code. With --detach in a process of its
// own that goes on after this one, its output in STORE/STUDY/tune.log: once that has begun, says how to watch
// and stop it, and returns 0; where it cannot begin, its exit code.
int run_and_report(engine::RunRequest request, const Parsed& options, Console& console);

}  // namespace tune::cli
