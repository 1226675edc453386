#pragma once
// The commands that README.md shows, so that a test can run each of them.
#include <string>
#include <vector>

namespace tune::tests {

// Lines that start with "$ " inside ```console blocks, in order, without the "$ ". `./dev demo` and `./dev
// test` are left out: they set a machine up, which no test may do.
std::vector<std::string> readme_commands();

// Runs them in one shell, in a copy of examples/ in a temporary folder, with the built programs on the path;
// fails the test at the first command that does not exit 0, with what it printed.
void run_readme_commands(const std::vector<std::string>& commands);

}  // namespace tune::tests
