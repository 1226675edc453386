#pragma once
// The findings of an audit as a folder that a browser shows.
#include <cstddef>
#include <filesystem>

#include "trainer/tasks/detection/audit.h"
#include "trainer/tasks/detection/picture_page.h"

namespace tune::trainer::detection {

// Writes one JPEG for each finding (the images side by side with their boxes; overlaps framed in yellow, bad
// boxes in red) and an index.html that lists them into a folder made before. Returns the number of pictures.
// Images that do not decode are listed without one.
std::size_t write_audit_pictures(const Audit& audit, const std::filesystem::path& folder);

}  // namespace tune::trainer::detection
