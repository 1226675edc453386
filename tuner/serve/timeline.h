#pragma once
// Which trial had which device when, for a chart of bars.
#include "tuner/core/json.h"
#include "tuner/serve/study_table.h"

namespace tune::serve {

// A row for each device that an attempt of the study has had, with its spans, in seconds since the study was
// created, and its busy and idle time while the study ran. Attempts without devices take rows of a CPU, as
// many as there were at once.
OrderedJson timeline_json(const StudyTable& table);

}  // namespace tune::serve
