#include "tuner/os/closed_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
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

// Asked of the file system, since libraries change errno after the call that failed. Newer kernels keep the
// flag as it was when a disk turns after an error, and refuse what is written all the same.
bool is_on_read_only_disk(const std::filesystem::path& file) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::absolute(file, ignored).parent_path();
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) == 0 && (facts.f_flag & ST_RDONLY) != 0) return true;
  const int unnamed = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (unnamed >= 0) ::close(unnamed);
  return unnamed < 0 && errno == EROFS;
}

}  // namespace

std::optional<Error> read_only_disk(const std::filesystem::path& file, const std::string& what) {
  if (!is_on_read_only_disk(file)) return std::nullopt;
  return Error(ExitCode::kEnvironment, what + "; its disk can only be read by now",
               "a disk becomes so after an error: see the system's log (dmesg) and make it writable again "
               "(mount -o remount,rw), or move the store and run the same command again");
}

Error closed_file(const std::filesystem::path& file, const std::string& what) {
  if (is_out_of_files())
    return {ExitCode::kEnvironment, what + "; the system gives tune no more files",
            "raise the limit (ulimit -n 4096)"};
  const std::filesystem::path parent = file.parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (::access(folder.c_str(), W_OK) == 0 || errno == ENOENT) {
    if (auto error = read_only_disk(file, what)) return std::move(*error);
    return {ExitCode::kEnvironment, what, "check the owner and the mode of the file"};
  }
  const std::string reason = std::strerror(errno);
  return {ExitCode::kEnvironment, what + "; the folder " + folder + " cannot be written: " + reason,
          "tune keeps logs and locks there, also for reading: make it writable (chmod u+w " + folder +
              ", or run tune as its owner), or copy the store and name the copy with --store"};
}

}  // namespace tune
