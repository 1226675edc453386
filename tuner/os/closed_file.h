#pragma once
// Why a file cannot be opened or written, for people: most often it is the folder that refuses.
#include <filesystem>
#include <string>

#include "tuner/core/error.h"

namespace tune {

// Error(kEnvironment) with `what`, which names the file. When this process may not write the file's folder,
// or has no more files to open, it says so, and how to change it.
Error closed_file(const std::filesystem::path& file, const std::string& what);

}  // namespace tune
