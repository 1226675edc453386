#include "trainer/tasks/detection/data/problems.h"

#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {
constexpr std::size_t kShown = 20;
}

void Problems::add(std::string problem) {
  if (++count_ <= kShown) first_.push_back(std::move(problem));
}

void Problems::throw_if_any(const std::string& title, const std::string& hint) const {
  if (empty()) return;
  std::string message = title + ": " + std::to_string(count_) + (count_ == 1 ? " problem" : " problems");
  for (const std::string& problem : first_) message += "\n  - " + problem;
  if (count_ > kShown) message += "\n  - and " + std::to_string(count_ - kShown) + " more";
  throw Error(ExitCode::kBadData, message, hint);
}

}  // namespace tune::trainer::detection
