#pragma once
// The importance of a study's hyperparameters, for people and for programs.
#include <optional>
#include <string>

#include "strategies/importance.h"
#include "tuner/core/json.h"
#include "tuner/core/space.h"
#include "tuner/report/study/study_document.h"

namespace tune::cli {

// The importance by the trials that have completed so far, in the space of the stored spec.
strategies::Importance study_importance(const std::optional<SearchSpace>& space, const History& history);
// The same by the second objective; nullopt where there is one alone.
std::optional<strategies::Importance> second_importance(const std::optional<SearchSpace>& space,
                                                        const History& history);
report::ImportanceRows importance_rows(const strategies::Importance& importance);

// A line for each hyperparameter, or why there are none. Empty before the first trial has completed. `of`
// says of what, where a study has two objectives: " of accuracy".
std::string importance_text(const strategies::Importance& importance, const std::string& of = {});
// {"trials":24,"parameters":[{"name":"lr","share":0.62},...],"interactions":0.14}; with an objection no
// shares, and "reason".
Json importance_json(const strategies::Importance& importance);

}  // namespace tune::cli
