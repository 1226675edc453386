#pragma once
// --split and --part, which choose a part of a data set as training cuts it or as the set itself has it, and
// --images.
#include <filesystem>
#include <optional>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/image_sets/own_parts.h"

namespace tune::trainer::image_sets {

// `images` says what --images is for.
void add_part_options(std::vector<loop::Option>& options, const char* images);
// What was given for the first two; nullopt for the whole set. Throws Error(kUsage) when a split comes
// without a part or is not understood.
std::optional<PartChoice> part_choice(const loop::Request& request);
// What was given for --images, else an empty path.
std::filesystem::path images_choice(const loop::Request& request);

}  // namespace tune::trainer::image_sets
