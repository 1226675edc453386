#pragma once
// The built-in trainer's description of itself (`tune-train describe --json`): reading its tables, and what
// of a spec does not fit them.
#include <string>
#include <vector>

#include "tuner/spec/spec.h"

namespace tune::engine {

// All that is wrong with spec.trainer, and with the hyperparameters that the spec gives it (without line
// numbers).
std::vector<Problem> trainer_problems(const Spec& spec, const Json& description);

// The row of that name in a table of the description; nullptr for none.
const Json* row_named(const Json& rows, const std::string& name);
// The recipe of `task` that spec.trainer names, or else the default; nullptr where the task has none of that
// name.
const Json* recipe_of(const Json& task, const Json& trainer);

}  // namespace tune::engine
