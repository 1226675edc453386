#include "support/run_shell.h"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/catch.h"

namespace tune::tests {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// In single quotes for the shell.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// In front of the path: the python3 of a version manager is a script that takes longer to start than Python.
const std::string& python_folder() {
  static const std::string folder = [] {
    const TemporaryFolder capture;
    const std::filesystem::path out = capture.path() / "out";
    const std::string command =
        "python3 -c 'import os, sys; print(os.path.dirname(sys.executable), end=\":\")' >" +
        quoted(out.string()) + " 2>/dev/null";
    return std::system(command.c_str()) == 0 ? contents(out) : std::string();
  }();
  return folder;
}

}  // namespace

ShellResult run_shell(const std::string& line, const std::filesystem::path& folder,
                      const std::map<std::string, std::string>& environment) {
  const TemporaryFolder capture;
  std::string script = "cd " + quoted(folder.string()) +
                       "\nunset TUNE_STORE\nexport NO_COLOR=1 PATH=" TUNE_BIN_DIR ":" + python_folder() +
                       "$PATH\n";
  // Tests that run at the same time do not see each other's leases of cores. GPUs must be shared.
  script +=
      "[ -e /dev/nvidiactl ] || export TUNE_LEASE_DIR=" + quoted((capture.path() / "leases").string()) + "\n";
  for (const auto& [name, value] : environment) script += "export " + name + "=" + quoted(value) + "\n";
  std::ofstream(capture.path() / "script") << script << line << "\n";
  // What waits for ever for something that did not happen fails with code 124 and what it has printed.
  const std::string command =
      "timeout --kill-after=5 600 bash " + quoted((capture.path() / "script").string()) + " </dev/null >" +
      quoted((capture.path() / "out").string()) + " 2>" + quoted((capture.path() / "err").string());
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents(capture.path() / "out"),
          contents(capture.path() / "err")};
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tune-test.XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tune::tests
