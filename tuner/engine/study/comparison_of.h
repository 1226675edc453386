#pragma once
// Which comparison a study belongs to.
#include <filesystem>
#include <optional>
#include <string>

namespace tune::engine {

// The comparison of this store whose study it is, as its name tells ("COMPARISON.APPROACH.ROLE"); nullopt
// for a study by itself. A comparison reads the trials and the spec of its studies.
std::optional<std::string> comparison_of(const std::filesystem::path& store, const std::string& study);

}  // namespace tune::engine
