#pragma once
// The findings of an audit as a folder that a browser shows.
#include <cstddef>
#include <filesystem>

#include "trainer/tasks/detection/audit.h"

namespace tune::trainer::detection {

// Writes a picture for each finding, the images with their boxes, and an index.html into a folder made
// before: image_sets::FindingsPage. Returns the number of pictures.
std::size_t write_audit_pictures(const Audit& audit, const std::filesystem::path& folder);

}  // namespace tune::trainer::detection
