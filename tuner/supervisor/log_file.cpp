#include "tuner/supervisor/log_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/os/regular_file.h"

namespace tune::supervisor {
namespace {

// The trainer may have put something else in its place. Sets errno where there is none.
Descriptor open_for_writing(const std::filesystem::path& path) {
  const int opened = open_regular_file_anew(path);
  if (opened < 0) errno = -opened;
  return Descriptor(std::max(opened, -1));
}

// Removes what was written from `bytes`; 0 or the system's reason.
int write_some(int fd, std::string_view& bytes, std::uint64_t limit, std::uint64_t& counter) {
  while (!bytes.empty() && limit > 0) {
    const ssize_t written = ::write(fd, bytes.data(), std::min<std::uint64_t>(bytes.size(), limit));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    limit -= static_cast<std::uint64_t>(written);
    counter += static_cast<std::uint64_t>(written);
  }
  return 0;
}

// For reading; none when it is gone, or no longer a file.
Descriptor open_own(const std::filesystem::path& path) {
  try {
    return Descriptor(open_regular_file(path).descriptor);
  } catch (const Error&) {
    return Descriptor();
  }
}

std::string segment_name(std::uint64_t start) {
  const std::string digits = std::to_string(start);
  return std::string(kLogSegmentPrefix) + std::string(20 - digits.size(), '0') + digits;
}

}  // namespace

LogFile::LogFile(std::filesystem::path folder) : folder_(std::move(folder)) {
  head_ = open_for_writing(folder_ / kLogFile);
}

int LogFile::append(std::string_view& bytes) {
  if (head_.get() < 0) {
    head_ = open_for_writing(folder_ / kLogFile);
    if (head_.get() < 0) return errno;
  }
  if (total_ < kLogHead)
    if (const int error = write_some(head_.get(), bytes, kLogHead - total_, total_)) return error;
  while (!bytes.empty()) {
    if (segments_.empty() || total_ - segments_.back().start >= kLogTail)
      if (const int error = open_next_segment()) return error;
    const std::uint64_t room = kLogTail - (total_ - segments_.back().start);
    if (const int error = write_some(tail_.get(), bytes, room, total_)) return error;
  }
  return 0;
}

int LogFile::open_next_segment() {
  // The oldest goes first: at no time are there more than two.
  if (segments_.size() == 2) {
    ::unlink(segments_.front().path.c_str());
    segments_.erase(segments_.begin());
  }
  const Segment next{folder_ / segment_name(total_), total_};
  Descriptor opened = open_for_writing(next.path);
  if (opened.get() < 0) return errno;
  tail_ = std::move(opened);
  segments_.push_back(next);
  return 0;
}

bool LogFile::copy_tail(int log) const {
  std::uint64_t from = segments_.front().start, ignored = 0;
  if (total_ > kLogHead + kLogTail) {
    from = total_ - kLogTail;
    const std::string marker = log_marker(from - kLogHead);
    std::string_view text = marker;
    if (write_some(log, text, marker.size(), ignored) != 0) return false;
  }
  std::string buffer(256 * 1024, '\0');
  for (const Segment& segment : segments_) {
    const Descriptor file = open_own(segment.path);
    if (file.get() < 0) return false;
    std::uint64_t at = from > segment.start ? from - segment.start : 0;
    for (;;) {
      const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      at += text.size();
      if (got < 0 || write_some(log, text, text.size(), ignored) != 0) return false;
      if (got == 0) break;
    }
  }
  return true;
}

void LogFile::finish() {
  if (segments_.empty() || head_.get() < 0) return;
  if (!copy_tail(head_.get())) {
    static_cast<void>(::ftruncate(head_.get(), static_cast<off_t>(kLogHead)) == 0);
    return;
  }
  // The newest first: a reader that sees only older segments waits, one that sees only newer ones would
  // report a gap.
  for (; !segments_.empty(); segments_.pop_back()) ::unlink(segments_.back().path.c_str());
}

}  // namespace tune::supervisor
