#pragma once
// Skipping a test case that this machine cannot run. Catch2 2 knows no such thing.
#include <string>

namespace tune::tests {

// What a test program exits with when a case was skipped and all others passed; CTest shows it as skipped.
inline constexpr int kSkippedExitCode = 77;

// Says so on stderr and remembers it for the exit code. The case itself has to return.
void skip(const std::string& reason);
bool any_skipped();

}  // namespace tune::tests
