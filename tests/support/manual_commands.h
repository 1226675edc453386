#pragma once
// The commands that README.md and the pages of docs/ show, so that a test can run each of them.
#include <string>
#include <vector>

namespace tune::tests {

enum class CommandsOf { kTune, kBuiltinTrainer };

// Runs the commands of each page: the lines that start with "$ " inside ```console blocks, in order, without
// the "$ ". `./dev demo` and `./dev test` are left out: they set a machine up, which no test may do. `which`
// chooses those that name tune-train or an example of it, or the others. A page runs in one shell after
// another in a folder of its own with a copy of examples/, the built programs on the path; the test fails at
// the first command that does not exit 0, with what it printed. Returns the number of commands.
int run_manual_commands(CommandsOf which);

}  // namespace tune::tests
