#pragma once
// Runs a command line as a person would, for end-to-end tests, and keeps what it prints.
#include <filesystem>
#include <map>
#include <string>

namespace tune::tests {

struct ShellResult {
  int exit_code = -1;  // 128 + n for signal n
  std::string out, err;
};

// Runs `bash -c line` in `folder`, with the built programs first on the path, NO_COLOR set and TUNE_STORE as
// given by `environment` only. Blocks until it ends.
ShellResult run_shell(const std::string& line, const std::filesystem::path& folder,
                      const std::map<std::string, std::string>& environment = {});

// A folder of its own for a test, removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tune::tests
