#pragma once
// A run that goes on without its terminal: `tune --spec FILE --detach`.
#include <filesystem>
#include <functional>

#include "tuner/cli/command_line/command_line.h"

namespace tune::cli {

// To be called with the file of a run's output, once nothing more can refuse the run.
using Detach = std::function<void(const std::filesystem::path& log)>;
// The run: it returns the exit code.
using DetachedWork = std::function<int(Console& console, const Detach& detach)>;

// Runs the work in a process of its own. Before that detaches, it is in the foreground as it would be without
// one: its messages and Ctrl-C are this terminal's, and where it ends, this returns its exit code. When it
// detaches it leaves the session, so that a log-out does not reach it, and what it prints goes to the log;
// `begun` is told of the process and the log then, and 0 is returned. Called by a process of one thread.
// Throws Error(kEnvironment) when there is no other process to be had.
int run_detached(Console& console, const DetachedWork& work,
                 const std::function<void(int pid, const std::filesystem::path& log)>& begun);

}  // namespace tune::cli
