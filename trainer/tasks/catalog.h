#pragma once
// The models of all tasks, with what a person needs to choose and to begin.
#include <filesystem>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer {

// {"schema", "folders": [searched], "tasks": [{"name", "unit", "fine_tunes", "data": {"description",
// "example"}, "recipes": [with hyperparameters], "models": [{...as Task::models(), "weights": [{"path",
// "bytes"}]}]}]}. Weights are those in the folders whose names say that they are the model's; of several
// models that a name suits, the one with the longest name has it.
OrderedJson catalog(const std::vector<std::filesystem::path>& folders);

}  // namespace tune::trainer
