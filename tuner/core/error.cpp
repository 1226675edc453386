#include "tuner/core/error.h"

#include <cerrno>

#include "tuner/core/visible_text.h"

namespace tune {
namespace {

// In bytes, so that nobody is shown all of a file that is one endless name.
constexpr std::size_t kLongestPointer = 200, kLongestSentence = 1000;

std::string describe(const std::string& file, const std::vector<Problem>& problems) {
  std::string text =
      file + " has " + (problems.size() == 1 ? "a problem" : std::to_string(problems.size()) + " problems");
  for (const Problem& problem : problems) {
    text += "\n  " + file;
    if (problem.line > 0) text += ":" + std::to_string(problem.line);
    if (problem.line > 0 && problem.column > 0) text += ":" + std::to_string(problem.column);
    if (!problem.pointer.empty()) text += " " + visible_text(shortened(problem.pointer, kLongestPointer));
    text += ": " + visible_text(shortened(problem.message, kLongestSentence));
    if (!problem.hint.empty())
      text += "\n    " + visible_text(shortened(problem.hint, kLongestSentence), LineBreaks::kKeep);
  }
  return text;
}

}  // namespace

const char* code_name(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return "ok";
    case ExitCode::kNothingToPromote:
      return "nothing_to_promote";
    case ExitCode::kUsage:
      return "usage";
    case ExitCode::kBadSpec:
      return "bad_spec";
    case ExitCode::kNotFound:
      return "not_found";
    case ExitCode::kConflict:
      return "conflict";
    case ExitCode::kEnvironment:
      return "environment";
    case ExitCode::kEveryTrialFailed:
      return "every_trial_failed";
    case ExitCode::kBadData:
      return "bad_data";
    case ExitCode::kInternal:
      return "internal";
    case ExitCode::kOutOfMemory:
      return "out_of_memory";
    case ExitCode::kNonFiniteLoss:
      return "non_finite_loss";
    case ExitCode::kInterrupted:
      return "interrupted";
  }
  return "internal";
}

bool is_disk_full(int reason) { return reason == ENOSPC || reason == EDQUOT; }

SpecError::SpecError(std::string file, std::vector<Problem> problems)
    : Error(ExitCode::kBadSpec, describe(file, problems)),
      file_(std::move(file)),
      problems_(std::move(problems)) {}

void broken_invariant(const char* expression, const char* file, int line, const std::string& detail) {
  std::string message =
      std::string("broken invariant at ") + file + ":" + std::to_string(line) + ": " + expression;
  if (!detail.empty()) message += " (" + detail + ")";
  throw Error(ExitCode::kInternal, message,
              "this is a bug in tune; please report it with the command that led here");
}

}  // namespace tune
