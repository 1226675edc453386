#include "tuner/os/closed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tune {
namespace {

// Whether this process is at its limit of open files. Asked anew, since libraries do not hand the reason on.
bool is_out_of_files() {
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool is_out = descriptor < 0 && (errno == EMFILE || errno == ENFILE);
  if (descriptor >= 0) ::close(descriptor);
  return is_out;
}

}  // namespace

Error closed_file(const std::filesystem::path& file, const std::string& what) {
  if (is_out_of_files())
    return {ExitCode::kEnvironment, what + "; the system gives tune no more files",
            "raise the limit (ulimit -n 4096)"};
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
