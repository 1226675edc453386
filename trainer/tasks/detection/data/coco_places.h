#pragma once
// Which COCO files a folder holds, and where their images lie. Used by layout.cpp alone.
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/layout.h"

namespace tune::trainer::detection {

inline constexpr std::array kPartNames{"train", "validation", "test"};

// "train" for train2017, instances_train2017 and Training; "" for a name of no part.
std::string part_of_name(const std::string& name);
// The same where nothing but digits may follow: obj_train_data is no part.
std::string part_of_folder(const std::string& name);
// "images/train" for a folder in the data set `base`, else the whole path.
std::string shown_path(const std::filesystem::path& path, const std::filesystem::path& base);

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
