#pragma once
// The file that a person names as a spec.
#include <filesystem>
#include <string>

namespace tune {

// The whole of it, which may be a pipe of the shell, as in --spec <(jq ...): the one thing that is waited
// for, up to 64 MB. Throws as read_file() does.
std::string read_spec_file(const std::filesystem::path& path);

}  // namespace tune
