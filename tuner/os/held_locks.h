#pragma once
// Who holds locks on a file, as the kernel shows it.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tune {

struct HeldLock {
  std::string kind, access;  // "FLOCK", "POSIX" or "OFDLCK"; "READ" or "WRITE"
  pid_t pid = 0;             // 0 or less where it is not known: another container's, or of an open file
  std::uint64_t first = 0;   // byte of the locked range
};
// The locks on a file (/proc/locks). Only looks: taking a lock to find out would make others believe in it.
// One of them may be missing where locks of other files are released meanwhile.
std::vector<HeldLock> locks_on(const std::filesystem::path& file);
// True while a process holds a FileLock on the file, which is a flock.
bool is_locked(const std::filesystem::path& file);

}  // namespace tune
