#pragma once
// The studies of a store: those of its folders that have a database.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::store {

// Sorted. Empty when there is no such folder.
std::vector<std::string> study_names(const std::filesystem::path& folder);

}  // namespace tune::store
