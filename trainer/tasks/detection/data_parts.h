#pragma once
// Parts of a detection data set on disk: one way for training and for every command that looks at a part.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "trainer/tasks/detection/data/dataset_split.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/image_sets/parts.h"

namespace tune::trainer::detection {

// What --images is for in the commands of this task.
inline constexpr const char* kImagesOption =
    "where the images lie, for annotations whose images lie elsewhere";

using image_sets::OwnParts;
using image_sets::PartChoice;

// image_sets::own_parts() of the set that the options read.
OwnParts own_parts(const std::filesystem::path& data, const ReadOptions& options, const Json& split);

// read_dataset(), which a signal ends together with the program: readers do not look for one.
Dataset read_to_the_end(const std::filesystem::path& data, const ReadOptions& options);

// Reads a data set and keeps the part that training with this `split` would use as such, whatever classes the
// options give; `description` gets that of the cut. Throws Error(kBadData) for a part that the fractions
// leave empty.
Dataset read_part(const std::filesystem::path& data, const ReadOptions& options,
                  const std::optional<PartChoice>& choice, int threads, std::ostream& notes,
                  const std::function<bool()>& interrupted, OrderedJson* description = nullptr);

}  // namespace tune::trainer::detection
