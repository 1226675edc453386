#pragma once
// Which COCO files a folder holds, and where their images lie. Used by layout.cpp alone.
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/layout.h"

namespace tune::trainer::detection {

// All three are empty where there is none.
// By the names that tools give: annotations.json, _annotations.coco.json, result.json, instances_*.json.
std::vector<std::filesystem::path> named_coco_files(const std::filesystem::path& folder);
// By their content.
std::vector<std::filesystem::path> other_coco_files(const std::filesystem::path& folder);
// The files with boxes in annotations/, as the official archives and CVAT have it.
std::vector<std::filesystem::path> coco_files_in(const std::filesystem::path& annotations);

// One file is the whole set; several are its parts, which their names must tell: Error(kBadData). `images`,
// which may be empty, is a folder to look for images in first.
Layout coco_layout(const std::vector<std::filesystem::path>& files, const std::filesystem::path& base,
                   const std::filesystem::path& images);

}  // namespace tune::trainer::detection
