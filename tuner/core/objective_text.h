#pragma once
// The words for goals and reductions, as the spec, the stores and the contracts have them.
#include <string>

#include "tuner/core/history.h"

namespace tune {

const char* goal_text(Goal goal);             // "maximize"
Goal goal_from(const std::string& text);      // throws std::invalid_argument
const char* reduce_text(Reduce reduce);       // "best"
Reduce reduce_from(const std::string& text);  // throws std::invalid_argument

}  // namespace tune
