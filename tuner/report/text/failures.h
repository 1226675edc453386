#pragma once
// The trials that failed, those that failed in the same way together.
#include <string>
#include <vector>

#include "store/study_store.h"

namespace tune::report {

struct FailureGroup {
  std::string reason;       // "crash: exit code 3: ..."
  std::vector<int> trials;  // ascending
};

// In the order of each group's first trial. Trials that ran out of time failed in the same way, whatever each
// had reached.
std::vector<FailureGroup> failure_groups(const std::vector<store::TrialRow>& trials);

// "3 trials (2, 5, 7): crash: exit code 3: ...", without control characters.
std::string failure_line(const FailureGroup& group);
// A line for each group, behind `indent`; beyond a few groups, how many more there are.
std::string failure_lines(const std::vector<store::TrialRow>& trials, const std::string& indent);

}  // namespace tune::report
