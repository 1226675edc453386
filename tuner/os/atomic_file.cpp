#include "tuner/os/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/os/closed_file.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/regular_file.h"

namespace tune {
namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path, int reason) {
  const std::string message =
      std::string("cannot ") + action + " \"" + path.string() + "\": " + std::strerror(reason);
  if (is_disk_full(reason)) throw DiskFull(message);
  if (reason == EFBIG) throw FileSizeLimit(message);
  if (reason == EROFS)
    if (const auto error = read_only_disk(path, message)) throw Error(*error);
  std::string hint;
  if (reason == EACCES || reason == EPERM || reason == EROFS)
    hint = "check the owner and the mode of the folder";
  throw Error(ExitCode::kEnvironment, message, hint);
}

// 0, or the system's reason.
int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           Durability durability) {
  AtomicFile file(path, durability);
  file.add(content);
  file.commit();
}

AtomicFile::AtomicFile(std::filesystem::path path, Durability durability)
    : path_(std::move(path)), temporary_(path_), durability_(durability) {
  // In the same folder, since a rename is atomic only within one file system; random, since others may write
  // too.
  temporary_.replace_filename("." + path_.filename().string() + ".tmp-" + random_token().substr(0, 12));
  file_ = Descriptor(open_retrying(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0666));
  if (file_.get() < 0) fail("write", path_, errno);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::add(std::string_view piece) {
  if (const int reason = write_all(file_.get(), piece)) fail("write", path_, reason);
}

void AtomicFile::commit() {
  if (durability_ == Durability::kPower && ::fsync(file_.get()) != 0) fail("write", path_, errno);
  // Some file systems report a full disk only here.
  if (file_.close() != 0) fail("write", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("write", path_, errno);
  temporary_.clear();
  if (durability_ == Durability::kPower) sync_path(path_.has_parent_path() ? path_.parent_path() : ".");
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(open_retrying(path, O_RDONLY | O_NONBLOCK));  // for a FIFO nobody waits
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR))
    throw Error(ExitCode::kNotFound, "there is no file \"" + path.string() + "\"");
  if (file.get() < 0) fail("read", path, errno);
  if (const std::string reason = why_not_regular(file.get()); !reason.empty())
    throw Error(ExitCode::kEnvironment, "cannot read \"" + path.string() + "\": " + reason);
  std::string content;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, errno);
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor file(open_retrying(path, O_RDONLY));
  if (file.get() < 0 || ::fsync(file.get()) != 0) fail("make durable", path, errno);
}

}  // namespace tune
