#pragma once
// What a study is called where a spec is made of a file or of a folder.
#include <filesystem>
#include <string>

namespace tune::amt {

// The path's last part without an ending, made into a name that a study may have: other signs than letters,
// digits and `_` become `-`, one for several in a row. At most 40 characters, so that a person may add to it;
// `otherwise` where nothing is left, or the store has a folder of that name.
std::string study_name_of(const std::filesystem::path& path, const std::string& otherwise);

}  // namespace tune::amt
