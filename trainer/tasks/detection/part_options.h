#pragma once
// --split and --part, which choose a part of a data set as training cuts it.
#include <optional>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/detection/data_parts.h"

namespace tune::trainer::detection {

void add_part_options(std::vector<loop::Option>& options);
// What was given for them; nullopt for the whole set. Throws Error(kUsage) when one comes without the other
// or is not understood.
std::optional<PartChoice> part_choice(const loop::Request& request);

}  // namespace tune::trainer::detection
