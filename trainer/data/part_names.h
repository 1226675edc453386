#pragma once
// The parts that a data set may have of its own, told by the names of folders and files.
#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace tune::trainer::data {

inline constexpr std::array kPartNames{"train", "validation", "test"};

// "train" for train2017, instances_train2017 and Training; "" for a name of no part.
std::string part_of_name(const std::string& name);
// The same where nothing but digits may follow: obj_train_data is no part.
std::string part_of_folder(const std::string& name);
// "images/train" for a folder in the data set `base`, else the whole path.
std::string shown_path(const std::filesystem::path& path, const std::filesystem::path& base);

// "pit, scratch"
std::string listed_names(const std::vector<std::string>& names);

}  // namespace tune::trainer::data
