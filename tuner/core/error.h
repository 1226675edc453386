#pragma once
// What can go wrong, as exceptions that carry a place, a cause and a cure, and the exit codes of both
// programs.
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tune {

// Exit codes of `tune` and `tune-train`. The last three are `tune-train`'s alone, and are believed from it
// alone.
enum class ExitCode {
  kOk = 0,
  kNothingToPromote = 1,
  kUsage = 2,
  kBadSpec = 3,
  kNotFound = 5,
  kConflict = 6,
  kEnvironment = 7,
  kEveryTrialFailed = 8,
  kBadData = 65,
  kInternal = 70,
  kOutOfMemory = 75,
  kNonFiniteLoss = 76,
  kInterrupted = 130,
};

// "bad_spec" for kBadSpec and so on: how `--json` names an error.
const char* code_name(ExitCode code);

// An error that ends a command. `what()` names the place and the cause; `hint` is the cure, empty if there is
// none.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}
  ExitCode code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

// A disk without room, or over its quota. It may pass, so a caller that can wait tries again.
class DiskFull : public Error {
 public:
  explicit DiskFull(const std::string& message)
      : Error(ExitCode::kEnvironment, message, "free some disk space and run the same command again") {}
};
// Whether the system's reason (errno) means that.
bool is_disk_full(int reason);

// A file that has reached the largest size that this process may write. Waiting does not help.
class FileSizeLimit : public Error {
 public:
  explicit FileSizeLimit(const std::string& message)
      : Error(ExitCode::kEnvironment, message + " (the limit on the size of a file is reached)",
              "raise the limit (`ulimit -f unlimited`) and run the same command again") {}
};

// The system has no process, memory or file left for us just now. It may pass, so a caller that can wait
// tries again.
class LackOfResources : public Error {
 public:
  LackOfResources(const std::string& message, std::string hint)
      : Error(ExitCode::kEnvironment, message, std::move(hint)) {}
};

// A database that does not hold what this program wrote. Waiting does not help.
class DamagedFile : public Error {
 public:
  explicit DamagedFile(const std::string& message)
      : Error(ExitCode::kEnvironment, message,
              "the file is damaged or not a database of tune; restore it from a copy") {}
};

// One thing wrong with a file that a person wrote. Lines and columns count from 1; 0 where there is none.
struct Problem {
  int line = 0, column = 0;
  std::string pointer;  // JSON pointer (RFC 6901) of the value, "" for the whole document
  std::string message;  // what is wrong
  std::string hint;     // the nearest valid name, or another cure; may be empty
};

// All that is wrong with a spec, at once (exit 3).
class SpecError : public Error {
 public:
  SpecError(std::string file, std::vector<Problem> problems);
  const std::string& file() const { return file_; }
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::string file_;
  std::vector<Problem> problems_;
};

// The always-on check of an invariant: throws Error(kInternal) that names the place.
[[noreturn]] void broken_invariant(const char* expression, const char* file, int line,
                                   const std::string& detail = {});

}  // namespace tune

#define TUNE_CHECK(expression, ...)    \
  ((expression) ? static_cast<void>(0) \
                : ::tune::broken_invariant(#expression, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__))
