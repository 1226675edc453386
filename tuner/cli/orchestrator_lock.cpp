#include "tuner/cli/orchestrator_lock.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

namespace tune::cli {

bool is_locked(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return false;
  // "1: FLOCK  ADVISORY  WRITE 1234 08:01:131090 0 EOF" (proc(5)). Devices are compared by inode alone: some
  // file systems show another device number there than stat does.
  const std::string inode = ':' + std::to_string(status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, pid, place;
    words >> number >> kind >> advisory >> access >> pid >> place;
    if (kind == "FLOCK" && place.ends_with(inode)) return true;
  }
  return false;
}

}  // namespace tune::cli
