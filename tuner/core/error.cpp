#include "tuner/core/error.h"

#include <cerrno>

namespace tune {
namespace {

std::string describe(const std::string& file, const std::vector<Problem>& problems) {
  std::string text =
      file + " has " + (problems.size() == 1 ? "a problem" : std::to_string(problems.size()) + " problems");
  for (const Problem& problem : problems) {
    text += "\n  " + file;
    if (problem.line > 0) text += ":" + std::to_string(problem.line);
    if (problem.line > 0 && problem.column > 0) text += ":" + std::to_string(problem.column);
    if (!problem.pointer.empty()) text += " " + problem.pointer;
    text += ": " + problem.message;
    if (!problem.hint.empty()) text += "\n    " + problem.hint;
  }
  return text;
}

}  // namespace

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
