#pragma once
// Whether the search would like to leave its ranges.
#include <string>
#include <vector>

#include "tuner/core/space.h"
#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

// A number of the best trial that lies at an end of its range, where a better one may be beyond.
struct Edge {
  std::string parameter;
  Json value;
  bool is_max = false;  // which end
  Json min, max;        // the range, of an int as integers
  Json wider;           // where that end might be moved to
};

// The edges of the best completed trial, in the order of the spec. An end is the last hundredth of a
// continuous range on its scale, or the outermost of three values or more. Three kinds are left out: an end
// that no wider range can pass, such as a min of 0 (of an int also 1), or a max of 1 of a share; a parameter
// that every completed trial had alike; one whose value is off the end in a trial as good as the best. Empty
// where the stored spec cannot be read by this version.
std::vector<Edge> best_edges(const StudyRows& rows);

}  // namespace tune::report
