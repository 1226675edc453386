#include "tuner/os/memory.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace tune {

std::optional<std::uint64_t> available_memory_bytes() {
  std::optional<std::uint64_t> free;
  std::ifstream lines("/proc/meminfo");
  constexpr const char* kName = "MemAvailable:";
  for (std::string line; !free && std::getline(lines, line);)
    if (line.starts_with(kName)) free = std::stoull(line.substr(std::string(kName).size())) * 1024;
  // Version 2; a file that says "max" is no number, and sets no limit.
  std::uint64_t limit = 0, used = 0;
  if (!(std::ifstream("/sys/fs/cgroup/memory.max") >> limit) ||
      !(std::ifstream("/sys/fs/cgroup/memory.current") >> used))
    return free;
  const std::uint64_t left = limit > used ? limit - used : 0;
  return free ? std::min(*free, left) : left;
}

}  // namespace tune
