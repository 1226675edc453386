#pragma once
// Runs a study for a command: signals, the display, what is printed at the end.
#include <functional>

#include "tuner/cli/command_line/options.h"
#include "tuner/engine/study/run_study.h"

namespace tune::cli {

// Blocks until the study has ended or was interrupted, and prints its result. SIGINT, SIGTERM and SIGHUP
// drain at first; a second SIGINT or SIGTERM kills. Returns the exit code. `on_begun` as of RunHooks.
int run_and_report(engine::RunRequest request, bool as_json, Console& console,
                   const std::function<void()>& on_begun = {});

// The same in a process of its own that goes on after this one, with its output in STORE/STUDY/tune.log: says
// how to watch and stop it, and returns 0, once it has begun; where it cannot begin, its exit code.
int run_and_report_detached(engine::RunRequest request, const Parsed& options, Console& console);

}  // namespace tune::cli
