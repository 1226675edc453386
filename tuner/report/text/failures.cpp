#include "tuner/report/text/failures.h"

#include <algorithm>

#include "tuner/report/text/format.h"
#include "tuner/report/text/table.h"

namespace tune::report {
namespace {

constexpr std::size_t kShownTrials = 8, kShownGroups = 5;

// What trials that failed in the same way have in common.
std::string common_reason(const store::TrialRow& trial) {
  const std::string reason = reason_text(trial);
  return trial.failure == "timeout" || trial.failure == "hung" ? reason.substr(0, reason.find("; ")) : reason;
}

}  // namespace

std::vector<FailureGroup> failure_groups(const std::vector<store::TrialRow>& trials) {
  std::vector<FailureGroup> groups;
  for (const store::TrialRow& trial : trials) {
    if (trial.state != TrialState::kFailed) continue;
    const std::string reason = common_reason(trial);
    const auto known = std::find_if(groups.begin(), groups.end(),
                                    [&](const FailureGroup& group) { return group.reason == reason; });
    FailureGroup& group = known == groups.end() ? groups.emplace_back() : *known;
    group.reason = reason;
    group.trials.push_back(trial.number);
  }
  return groups;
}

std::string failure_line(const FailureGroup& group) {
  std::string line;
  if (group.trials.size() == 1) {
    line = "trial " + std::to_string(group.trials.front());
  } else {
    line = std::to_string(group.trials.size()) + " trials (";
    for (std::size_t i = 0; i < group.trials.size() && i < kShownTrials; ++i)
      line += (i == 0 ? "" : ", ") + std::to_string(group.trials[i]);
    line += group.trials.size() > kShownTrials ? ", ...)" : ")";
  }
  return one_line(line + ": " + group.reason);
}

std::string failure_lines(const std::vector<store::TrialRow>& trials, const std::string& indent) {
  const std::vector<FailureGroup> groups = failure_groups(trials);
  std::string lines;
  for (std::size_t i = 0; i < groups.size() && i < kShownGroups; ++i)
    lines += indent + failure_line(groups[i]) + '\n';
  if (groups.size() > kShownGroups)
    lines += indent + "and " + std::to_string(groups.size() - kShownGroups) + " other failures\n";
  return lines;
}

}  // namespace tune::report
