#pragma once
// Whether some `tune` works on a study right now.
#include <filesystem>

namespace tune::cli {

// True while a process holds a flock on the file. Only looks (/proc/locks): taking the lock to find out would
// make a `tune` that starts at this moment believe in another one.
bool is_locked(const std::filesystem::path& file);

}  // namespace tune::cli
