#pragma once
// Runs a short program to its end and takes what it prints. For asking other programs about themselves, not
// for trials.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tune::engine {

struct ProgramOutput {
  int exit_code = 0;  // 128 + n for signal n
  std::string out;    // stdout; stderr is passed through when `quiet` is false, dropped otherwise
};
// argv[0] is looked up on the path. Blocks. Throws Error(kEnvironment) when it cannot be started.
ProgramOutput run_program(const std::vector<std::string>& argv,
                          const std::filesystem::path& working_directory, bool quiet = true);

// The program of that name beside the running one, else on the path; nullopt when there is none.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace tune::engine
