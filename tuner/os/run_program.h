#pragma once
// Runs a short program to its end and takes what it prints. For asking other programs about themselves, not
// for trials.
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/error.h"

namespace tune {

struct Program {
  std::vector<std::string> argv;  // argv[0] is looked up on the path
  std::filesystem::path working_directory;
  bool quiet = true;                                     // stderr is dropped; else passed through,
  std::function<void(const std::string&)> on_line = {};  // or given to this line by line, as it comes
  std::map<std::string, std::string> environment = {};   // in addition to ours
  std::vector<int> inherited = {};  // descriptors that stay open in it, leases for example
  Milliseconds time_limit{60'000};
  // How many signals a person or the system has sent so far; asked many times a second. The first is passed
  // on as SIGTERM, the second as SIGKILL. Empty: nobody interrupts it.
  std::function<int()> signals = {};
  // In a process group of its own, all of which is killed at once when the time is over.
  bool ends_as_group = false;
  std::set<std::string> left_out = {};  // of our environment: variables that it does not get
};

struct ProgramOutput {
  int exit_code = 0;  // 128 + n for signal n
  std::string out;    // stdout
};

// A program was still there after its time limit, and was killed.
class ProgramTimeout : public Error {
 public:
  explicit ProgramTimeout(const Program& program);
};

// Blocks until the program itself has ended; what it leaves behind is not waited for. It dies with this
// process. Throws Error(kEnvironment) when it cannot be started, ProgramTimeout.
ProgramOutput run_program(const Program& program);

// The program of that name beside the running one, else on the path; nullopt when there is none.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace tune
