#include "tuner/os/descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace tune {

int Descriptor::close() {
  const int number = std::exchange(number_, -1);
  return number < 0 ? 0 : ::close(number);
}

int open_retrying(const std::filesystem::path& path, int flags, mode_t mode) {
  int descriptor = -1;
  do descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

}  // namespace tune
