#pragma once
// Why a file cannot be opened or written, for people: most often it is the folder that refuses.
#include <filesystem>
#include <optional>
#include <string>

#include "tuner/core/error.h"

namespace tune {

// Error(kEnvironment) with `what`, which names the file. When this process may not write the file's folder,
// or has no more files to open, or the disk can only be read, it says so, and how to change it.
Error closed_file(const std::filesystem::path& file, const std::string& what);

// The same for a file on a disk that takes no writes by now; nullopt where it does, or nobody knows.
std::optional<Error> read_only_disk(const std::filesystem::path& file, const std::string& what);

}  // namespace tune
