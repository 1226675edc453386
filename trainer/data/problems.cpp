#include "trainer/data/problems.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::trainer::data {

namespace {
constexpr std::size_t kShown = 20;
}

void Problems::add(std::string problem) { all_.push_back({std::move(problem), {}, std::nullopt, false}); }

void Problems::add(DataProblem problem) { all_.push_back(std::move(problem)); }

void Problems::leave_out(DataProblem problem) {
  problem.left_out = true;
  left_out_.push_back(std::move(problem));
}

void Problems::throw_if_any(const std::string& title, const std::string& hint) const {
  if (empty()) return;
  const std::size_t count = all_.size();
  std::string message = title + ": " + std::to_string(count) + (count == 1 ? " problem" : " problems");
  for (std::size_t i = 0; i < std::min(count, kShown); ++i) message += "\n  - " + all_[i].text;
  if (count > kShown) message += "\n  - and " + std::to_string(count - kShown) + " more";
  throw Error(ExitCode::kBadData, message, hint);
}

void Problems::settle(std::vector<DataProblem>* collector, const std::string& title,
                      const std::string& hint) const {
  if (!collector) return throw_if_any(title, hint);
  collector->insert(collector->end(), all_.begin(), all_.end());
  collector->insert(collector->end(), left_out_.begin(), left_out_.end());
}

}  // namespace tune::trainer::data
