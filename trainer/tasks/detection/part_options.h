#pragma once
// --split and --part, which choose a part of a data set as training cuts it or as the set itself has it, and
// --images.
#include <filesystem>
#include <optional>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/detection/evaluate_and_predict.h"

namespace tune::trainer::detection {

void add_part_options(std::vector<loop::Option>& options);
// What was given for the first two; nullopt for the whole set. Throws Error(kUsage) when a split comes
// without a part or is not understood.
std::optional<PartChoice> part_choice(const loop::Request& request);
// What was given for --images, else an empty path.
std::filesystem::path images_choice(const loop::Request& request);
// These with --data.
DataChoice data_choice(const loop::Request& request);

}  // namespace tune::trainer::detection
