#include "tuner/supervisor/oom_kills.h"

#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace tune::supervisor {
namespace {

// The number behind "oom_kill" in a file of lines "name number".
std::optional<std::uint64_t> count_in(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  for (std::uint64_t number = 0; file >> name >> number;)
    if (name == "oom_kill") return number;
  return std::nullopt;
}

// Where our control group's counter lies: the line "0::PATH" is version 2, "N:memory:PATH" version 1.
std::optional<std::uint64_t> count_of_control_group() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    std::istringstream fields(line);
    std::string number, controllers, path;
    std::getline(fields, number, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    if (path == "/") path.clear();
    std::optional<std::uint64_t> count;
    if (controllers.empty()) count = count_in("/sys/fs/cgroup" + path + "/memory.events");
    if (controllers == "memory") count = count_in("/sys/fs/cgroup/memory" + path + "/memory.oom_control");
    if (count) return count;
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t oom_kills() {
  if (const char* file = std::getenv("TUNE_OOM_FILE")) return count_in(file).value_or(0);
  if (const auto count = count_of_control_group()) return *count;
  return count_in("/proc/vmstat").value_or(0);
}

}  // namespace tune::supervisor
