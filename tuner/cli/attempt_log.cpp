#include "tuner/cli/attempt_log.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <vector>

#include "tuner/core/attempt_layout.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPiece = 256 * 1024;

// What there is of [offset, offset + most) of a file; empty when the file is missing or shorter.
std::string read_range(const fs::path& file, std::uint64_t offset, std::uint64_t most) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream.seekg(static_cast<std::streamoff>(offset))) return {};
  std::string bytes(most, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  return bytes;
}

// Where the segments that exist start in the whole output, ascending.
std::vector<std::uint64_t> segment_starts(const fs::path& folder) {
  std::vector<std::uint64_t> starts;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kLogSegmentPrefix)) continue;
    std::uint64_t start = 0;
    const char* const digits = name.data() + kLogSegmentPrefix.size();
    const auto [stop, problem] = std::from_chars(digits, name.data() + name.size(), start);
    if (problem == std::errc() && stop == name.data() + name.size()) starts.push_back(start);
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

fs::path segment_file(const fs::path& folder, std::uint64_t start) {
  const std::string digits = std::to_string(start);
  return folder / (std::string(kLogSegmentPrefix) + std::string(20 - digits.size(), '0') + digits);
}

}  // namespace

std::string AttemptLog::read_more() {
  if (offset_ < kLogHead) return read_head();
  bool segments_found = false;
  std::string bytes = read_segments(segments_found);
  // Without segments the output has ended there, or its tail was moved behind the head.
  return segments_found ? bytes : read_moved_tail();
}

std::string AttemptLog::read_head() {
  std::string bytes = read_range(folder_ / kLogFile, offset_, std::min(kPiece, kLogHead - offset_));
  offset_ += bytes.size();
  return bytes;
}

std::string AttemptLog::read_segments(bool& found) {
  const std::vector<std::uint64_t> starts = segment_starts(folder_);
  found = !starts.empty();
  if (!found) return {};
  std::string notice;
  if (starts.front() > offset_) {
    notice = log_marker(starts.front() - offset_);
    offset_ = starts.front();
  }
  for (const std::uint64_t start : starts) {
    if (start > offset_) break;
    const std::string bytes = read_range(segment_file(folder_, start), offset_ - start, kPiece);
    offset_ += bytes.size();
    if (!bytes.empty()) return notice + bytes;
  }
  return notice;
}

std::string AttemptLog::read_moved_tail() {
  const fs::path log = folder_ / kLogFile;
  const auto dropped = dropped_in_marker(read_range(log, kLogHead, kLogMarkerSize));
  if (!dropped) {
    std::string bytes = read_range(log, offset_, kPiece);
    offset_ += bytes.size();
    return bytes;
  }
  const std::uint64_t tail_start = kLogHead + *dropped;  // in the whole output
  std::string notice;
  if (offset_ < tail_start) {
    notice = log_marker(tail_start - offset_);
    offset_ = tail_start;
  }
  const std::string bytes = read_range(log, kLogHead + kLogMarkerSize + (offset_ - tail_start), kPiece);
  offset_ += bytes.size();
  return notice + bytes;
}

}  // namespace tune::cli
