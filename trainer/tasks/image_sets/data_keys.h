#pragma once
// The keys of `trainer` by which a trial of a task on images says what it trains and measures on.
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::image_sets {

// Rows of Task::trainer_keys(): data, images, validation, test, split. `images` says what that key is for.
std::vector<OrderedJson> data_keys(const char* images);

}  // namespace tune::trainer::image_sets
