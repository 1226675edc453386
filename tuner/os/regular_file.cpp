#include "tuner/os/regular_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/unreadable_file.h"

namespace tune {
namespace {

std::string unreadable(const std::filesystem::path& path, const std::string& reason) {
  return "cannot read \"" + path.string() + "\": " + reason;
}

bool is_made_by_others(int reason) {
  return reason == ENOTDIR || reason == EISDIR || reason == ELOOP || reason == EACCES || reason == ENXIO;
}

std::string kind_of(const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return "it is a folder";
  if (S_ISFIFO(status.st_mode)) return "it is a FIFO, not a regular file";
  if (S_ISSOCK(status.st_mode)) return "it is a socket, not a regular file";
  return "it is a device, not a regular file";
}

std::string reason_text(int reason, Links links) {
  if (reason == ELOOP && links == Links::kRefuse) return "it is a link, not a regular file";
  if (reason == ENXIO) return "it is a socket or a device, not a regular file";
  return std::strerror(reason);
}

}  // namespace

OpenedFile open_regular_file(const std::filesystem::path& path, Links links) {
  const int descriptor =
      open_retrying(path, O_NONBLOCK | O_RDONLY | (links == Links::kRefuse ? O_NOFOLLOW : 0));
  if (descriptor < 0) {
    const int reason = errno;
    if (reason == ENOENT) return {};
    const std::string message = unreadable(path, reason_text(reason, links));
    if (!is_made_by_others(reason)) throw UnreadableFile(message);
    return {-1, message};
  }
  const std::string reason = why_not_regular(descriptor);
  if (reason.empty()) return {descriptor, {}};
  ::close(descriptor);
  return {-1, unreadable(path, reason)};
}

std::string why_not_regular(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) return {};
  return kind_of(status);
}

Descriptor open_pipe(const std::filesystem::path& path) {
  constexpr int kPatienceMs = 1000, kWithoutEnd = -1;
  // Opening it in the plain way would wait in silence for a writer to open it too.
  Descriptor pipe(open_retrying(path, O_RDONLY | O_NONBLOCK));
  if (pipe.get() < 0) return pipe;
  pollfd event{pipe.get(), POLLIN, 0};
  int ready = ::poll(&event, 1, kPatienceMs);
  if (ready == 0) {
    std::cerr << "reads " << visible_text(path.string())
              << ", which is a pipe, and waits for what is written to it" << std::endl;
    ready = ::poll(&event, 1, kWithoutEnd);
  }
  if (ready < 0 && errno == EINTR)
    throw Error(ExitCode::kInterrupted, "interrupted while \"" + path.string() + "\" was waited for");
  ::fcntl(pipe.get(), F_SETFL, ::fcntl(pipe.get(), F_GETFL) & ~O_NONBLOCK);
  return pipe;
}

FileContent read_regular_file(const std::filesystem::path& path, std::uint64_t most_bytes, Links links,
                              std::uint64_t offset) {
  FileContent content;
  const OpenedFile file = open_regular_file(path, links);
  content.spoilt = file.spoilt;
  if (file.descriptor < 0) return content;
  std::array<char, 64 * 1024> block;  // not touched before the kernel fills it: most files hold a few lines
  for (;;) {
    const ssize_t got = ::pread(file.descriptor, block.data(), block.size(),
                                static_cast<off_t>(offset + content.bytes.size()));
    const int reason = errno;
    if (got < 0 && reason == EINTR) continue;
    if (got > 0) content.bytes.append(block.data(), static_cast<std::size_t>(got));
    // Not by its size, which says nothing of a file that still grows.
    const bool is_too_large = content.bytes.size() > most_bytes;
    if (got > 0 && !is_too_large) continue;
    ::close(file.descriptor);
    if (got < 0) throw UnreadableFile(unreadable(path, std::strerror(reason)));
    if (is_too_large)
      return {false, {}, unreadable(path, "it is larger than " + std::to_string(most_bytes) + " bytes")};
    content.is_there = true;
    return content;
  }
}

JsonFile read_json_file(const std::filesystem::path& path, std::uint64_t most_bytes, Links links) {
  FileContent content = read_regular_file(path, most_bytes, links);
  JsonFile file{content.is_there, nullptr, std::move(content.spoilt)};
  if (!file.is_there) return file;
  BoundedJson json = parse_bounded_json(content.bytes);
  file.value = std::move(json.value);
  if (!json.problem.empty()) file.spoilt = unreadable(path, json.problem);
  return file;
}

int open_regular_file_to_append(const std::filesystem::path& path) {
  const int descriptor = open_retrying(path, O_NONBLOCK | O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (descriptor < 0) return -errno;
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) return descriptor;
  ::close(descriptor);
  return -EINVAL;
}

int open_regular_file_anew(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return -errno;
  const int descriptor = open_retrying(path, O_NONBLOCK | O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  return descriptor < 0 ? -errno : descriptor;
}

}  // namespace tune
