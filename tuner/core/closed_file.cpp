#include "tuner/core/closed_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tune {

Error closed_file(const std::filesystem::path& file, const std::string& what) {
  const std::filesystem::path parent = file.parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (::access(folder.c_str(), W_OK) == 0 || errno == ENOENT)
    return {ExitCode::kEnvironment, what, "check the owner and the mode of the file"};
  const std::string reason = std::strerror(errno);
  return {ExitCode::kEnvironment, what + "; the folder " + folder + " cannot be written: " + reason,
          "tune keeps logs and locks there, also for reading: make it writable (chmod u+w " + folder +
              ", or run tune as its owner), or copy the store and name the copy with --store"};
}

}  // namespace tune
