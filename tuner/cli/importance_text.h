#pragma once
// The importance of a study's hyperparameters, for people and for programs.
#include <string>

#include "strategies/importance.h"
#include "tuner/core/json.h"

namespace tune::cli {

// A line for each hyperparameter, or why there are none. Empty before the first trial has completed. `of`
// says of what, where a study has two objectives: " of accuracy".
std::string importance_text(const strategies::Importance& importance, const std::string& of = {});
// {"trials":24,"parameters":[{"name":"lr","share":0.62},...],"interactions":0.14}; with an objection no
// shares, and "reason".
Json importance_json(const strategies::Importance& importance);

}  // namespace tune::cli
