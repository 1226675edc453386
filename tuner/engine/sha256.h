#pragma once
// Fingerprints of files: data sets, scripts, models.
#include <filesystem>
#include <string>

namespace tune::engine {

// SHA-256 of a file's bytes, 64 hexadecimal digits. Throws Error(kEnvironment) when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace tune::engine
