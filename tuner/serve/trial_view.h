#pragma once
// What the page of a trial shows, and what its attempts printed.
#include "tuner/core/json.h"
#include "tuner/http/message.h"
#include "tuner/serve/study_table.h"

namespace tune::serve {

// All that `tune show` and `tune explain` say of it, with its difference to the best trial, the command that
// runs it again, and the names of what it left. Throws Error(kNotFound) for a trial that the study does not
// have.
OrderedJson trial_json(StudyTable& table, int trial);

// A piece of an attempt's log: ?attempt= (the last) and ?offset= (0; negative: so many bytes before the end).
// Lines as `tune logs` prints them, without escape sequences; a line that is not finished waits for the next
// piece. Throws HttpError(400), Error(kNotFound).
OrderedJson log_json(StudyTable& table, int trial, const http::Request& request);

}  // namespace tune::serve
