#pragma once
// What a store holds, as its folders tell.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tune::store {

// The studies of a store: those of its folders that have a database. Sorted. Empty when there is no such
// folder.
std::vector<std::string> study_names(const std::filesystem::path& store);

// The comparison of this store whose study it is, as its name tells ("COMPARISON.APPROACH.ROLE"); nullopt
// for a study by itself. A comparison reads the trials and the spec of its studies.
std::optional<std::string> comparison_of(const std::filesystem::path& store, const std::string& study);

}  // namespace tune::store
