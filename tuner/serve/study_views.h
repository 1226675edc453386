#pragma once
// What the page of a study shows: its state, its charts' data.
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/http/message.h"
#include "tuner/serve/study_table.h"

namespace tune::serve {

// The study with its space, limits, spending, forecast, best, failures, devices and last notices: what
// `tune status --json` says, and more. Its spec's `environment` is left out, as in reports.
OrderedJson study_json(StudyTable& table);
// All trials in columns, those after `after`: for history, slices, parallel coordinates, fronts.
std::string points_text(StudyTable& table, int after);
// Curves of some trials: ?trials=1,2 or best:20, &metric=, &points=. Throws HttpError(400).
OrderedJson curves_json(StudyTable& table, const http::Request& request);

}  // namespace tune::serve
