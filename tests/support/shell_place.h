#pragma once
// A folder in which a test runs command lines, each of which has to succeed.
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {

class ShellPlace {
 public:
  // `before` begins every command line.
  explicit ShellPlace(std::string before = "") : before_(std::move(before)) {}

  // One that may fail.
  ShellResult shell(const std::string& line) const { return run_shell(before_ + line, folder_.path()); }
  ShellResult run(const std::string& line) const {
    ShellResult result = shell(line);
    // A busy machine may need longer than a shell is given here; what is interrupted goes on.
    constexpr int kTimedOut = 124;
    for (int again = 0; again < 4 && result.exit_code == kTimedOut; ++again) result = shell(line);
    INFO("$ " << line << "\n" << result.out << result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  OrderedJson read(const std::string& name) const { return OrderedJson::parse(read_file(path(name))); }
  void write(const std::string& name, const OrderedJson& json) const {
    std::ofstream(path(name)) << json.dump(2);
  }

 private:
  std::string before_;
  TemporaryFolder folder_;
};

// What `tune compare --json` prints last.
inline Json last_line_of(const ShellResult& result) {
  return Json::parse(result.out.substr(result.out.rfind('\n', result.out.size() - 2) + 1));
}

}  // namespace tune::tests
