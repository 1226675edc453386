#pragma once
// Images of a data set that people may look at, with their objects.
#include "trainer/tasks/detection/data/score_input.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

// `count` images spread evenly over the set in the order of their ids, so that nobody has chosen them; all
// where there are fewer: [{"image_id", "file_name", "path", "width", "height", "objects": [{"name", "bbox":
// [x, y, width, height]}]}]. "path" is absolute, and null where the file was not found; a side is null where
// the data does not say it. Crowd regions are left out.
OrderedJson examples_json(const ScoreTruth& truth, std::size_t count);

}  // namespace tune::trainer::detection
