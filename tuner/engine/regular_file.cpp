#include "tuner/engine/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tuner/core/error.h"

namespace tune::engine {
namespace {

std::string unreadable(const std::filesystem::path& path, const char* reason) {
  return "cannot read \"" + path.string() + "\": " + reason;
}

bool is_made_by_trainer(int reason) {
  return reason == ENOTDIR || reason == EISDIR || reason == ELOOP || reason == EACCES || reason == ENXIO;
}

}  // namespace

OpenedFile open_regular_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) {
    const int reason = errno;
    if (reason == ENOENT) return {};
    const std::string message = unreadable(path, std::strerror(reason));
    if (!is_made_by_trainer(reason)) throw Error(ExitCode::kEnvironment, message);
    return {-1, message};
  }
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) return {descriptor, {}};
  ::close(descriptor);
  return {-1, unreadable(path, S_ISDIR(status.st_mode) ? "Is a directory" : "it is not a regular file")};
}

}  // namespace tune::engine
