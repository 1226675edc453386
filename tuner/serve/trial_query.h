#pragma once
// The table of a study's trials as a page shows a part of it: filtered, sorted and cut here, not in the
// browser.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/http/message.h"
#include "tuner/report/text/trial_condition.h"
#include "tuner/serve/study_table.h"

namespace tune::serve {

// Conditions between commas, all of which must hold; a comma of a value is written "\\,", and "\\\\" is a
// backslash. Throws what report::parse_trial_condition() throws.
std::vector<report::TrialCondition> parse_conditions(std::string_view filter);

struct TrialQuery {
  std::string sort = "trial";
  bool descending = false;
  std::vector<std::string> states;  // any of them; "deleted" too; empty: all
  std::vector<report::TrialCondition> conditions;
  std::size_t offset = 0, limit = 50;
};
// From ?sort=&descending=&state=&filter=&offset=&limit=. Throws HttpError(400), Error(kUsage).
TrialQuery trial_query_of(const http::Request& request);

// A part of the table, its columns, and how many trials match. Columns are named as the trial's own facts
// ("trial", "value", "seconds", ...), else as a hyperparameter, else as a metric; "parameters.NAME" and
// "metrics.NAME" mean the latter two alone. Throws HttpError(400) for a column that is none, with the nearest
// name.
OrderedJson trials_page(StudyTable& table, const TrialQuery& query);

}  // namespace tune::serve
