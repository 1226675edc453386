#pragma once
// Synthetic images of steel-surface defects as a data set on disk.
#include <cstdint>
#include <filesystem>
#include <functional>

namespace tune::trainer::synthetic {

// Writes FOLDER/images/CLASS_K.jpg and FOLDER/annotations/CLASS_K.xml (PASCAL VOC). size: 64 to 1024.
// `progress(done)` is called after each image. Throws Error(kEnvironment) when a file cannot be written.
void write_steel_data_set(const std::filesystem::path& folder, int images, int size, std::uint64_t seed,
                          const std::function<void(int)>& progress);

// Writes FOLDER/CLASS/CLASS_K.jpg, a folder for each of the six classes, whose images show that class alone.
void write_steel_classes(const std::filesystem::path& folder, int images, int size, std::uint64_t seed,
                         const std::function<void(int)>& progress);

}  // namespace tune::trainer::synthetic
