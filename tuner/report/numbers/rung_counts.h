#pragma once
// How far a study's trials came on the rungs of its stop rule.
#include <cstdint>
#include <map>
#include <vector>

#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

struct RungCount {
  std::int64_t step = 0;  // of the rung; the last element is the end of a training
  int reached = 0;        // trials of the search that came so far
  int stopped = 0;        // of them, by the rule, before the next one
  int waiting = 0;        // paused there
};

// From the rungs that the study recorded last, for trials of the usual length. Empty for a study without
// rungs.
std::vector<RungCount> rung_counts(const StudyRows& rows,
                                   const std::map<int, std::vector<MetricPoint>>& curves);

}  // namespace tune::report
