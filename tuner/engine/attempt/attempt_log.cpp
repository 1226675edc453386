#include "tuner/engine/attempt/attempt_log.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <map>
#include <optional>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/line_splitter.h"
#include "tuner/os/regular_file.h"

namespace tune::engine {
namespace {

constexpr std::size_t kLastLineWindow = 64 * 1024;
constexpr const char *kErrorHead = "error: ", *kHintHead = "  ";  // as our programs print them
// "srun: error: n2: task 1: Exited with exit code 7" (Slurm 22.05): what follows is the end of the others.
constexpr const char *kSrunHead = "srun: error: ", *kSrunTask = ": task";

std::string read_at(const std::filesystem::path& path, std::uint64_t offset, std::size_t limit) {
  const int fd = open_regular_file(path).descriptor;
  if (fd < 0) return {};
  std::string content(limit, '\0');
  ssize_t got = 0;
  do got = ::pread(fd, content.data(), limit, static_cast<off_t>(offset));
  while (got < 0 && errno == EINTR);
  ::close(fd);
  content.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return content;
}

// By where they start in the whole output.
std::map<std::uint64_t, std::filesystem::path> segments_in(const std::filesystem::path& folder) {
  std::map<std::uint64_t, std::filesystem::path> segments;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    std::uint64_t start = 0;
    if (!name.starts_with(kLogSegmentPrefix)) continue;
    const char* digits = name.data() + kLogSegmentPrefix.size();
    if (std::from_chars(digits, name.data() + name.size(), start).ec == std::errc())
      segments[start] = entry.path();
  }
  return segments;
}

constexpr std::size_t kWindow = 8192, kMostLines = 10, kMostLogs = 20;

std::vector<std::string> last_lines(const std::filesystem::path& folder) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) {
    const std::size_t end = line.find_last_not_of(" \t");
    if (end != std::string_view::npos) lines.emplace_back(line.substr(0, end + 1));
  };
  LineSplitter splitter;
  splitter.feed(log_end(folder, kWindow), keep);
  splitter.finish(keep);
  if (lines.size() > kMostLines)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMostLines));
  return lines;
}

}  // namespace

std::string AttemptLog::skip_to(std::uint64_t position) {
  const std::string marker = log_marker(position - position_);
  position_ = position;
  return marker;
}

std::string AttemptLog::read_tail_segments(std::size_t limit, bool& any) {
  const auto segments = segments_in(folder_);
  any = !segments.empty();
  if (!any) return {};
  if (position_ < segments.begin()->first) return skip_to(segments.begin()->first);
  const auto segment = std::prev(segments.upper_bound(position_));
  return read_at(segment->second, position_ - segment->first, limit);
}

std::string AttemptLog::read_finished(std::size_t limit) {
  const std::filesystem::path log = folder_ / kLogFile;
  std::uint64_t in_file = position_;
  if (const auto dropped = dropped_in_marker(read_at(log, kLogHead, kLogMarkerSize))) {
    const std::uint64_t tail = kLogHead + *dropped;
    if (position_ < tail) return skip_to(tail);
    in_file = kLogHead + kLogMarkerSize + (position_ - tail);
  }
  return read_at(log, in_file, limit);
}

std::string AttemptLog::read(std::size_t limit) {
  std::string text;
  if (position_ < kLogHead) {
    text = read_at(folder_ / kLogFile, position_, std::min<std::uint64_t>(limit, kLogHead - position_));
  } else {
    const std::uint64_t before = position_;
    bool in_segments = false;
    text = read_tail_segments(limit, in_segments);
    if (!in_segments) text = read_finished(limit);
    if (position_ != before) return text;  // a marker
  }
  position_ += text.size();
  return text;
}

std::uint64_t printed_bytes(const std::filesystem::path& attempt_folder) {
  std::error_code missing;
  if (const auto segments = segments_in(attempt_folder); !segments.empty()) {
    const auto& [begin, file] = *segments.rbegin();
    const std::uint64_t size = std::filesystem::file_size(file, missing);
    return missing ? begin : begin + size;
  }
  const std::filesystem::path log = attempt_folder / kLogFile;
  const std::uint64_t size = std::filesystem::file_size(log, missing);
  if (missing) return 0;
  const auto dropped = dropped_in_marker(read_at(log, kLogHead, kLogMarkerSize));
  return dropped ? size - kLogMarkerSize + *dropped : size;
}

std::string log_end(const std::filesystem::path& attempt_folder, std::size_t limit) {
  const auto segments = segments_in(attempt_folder);
  const std::filesystem::path last = segments.empty() ? attempt_folder / kLogFile : segments.rbegin()->second;
  std::error_code missing;
  const std::uint64_t size = std::filesystem::file_size(last, missing);
  return missing ? std::string() : read_at(last, size > limit ? size - limit : 0, limit);
}

std::string last_log_line(const std::filesystem::path& attempt_folder, std::size_t limit) {
  const std::string text = log_end(attempt_folder, kLastLineWindow);
  std::string found;
  bool is_of_task = false;
  const auto keep = [&](std::string_view line) {
    const std::size_t end = line.find_last_not_of(" \t");
    if (end == std::string_view::npos || is_of_task) return;
    if (line.starts_with(kSrunHead) && line.find(kSrunTask) != std::string_view::npos) {
      is_of_task = true;
      const std::string task(line.substr(0, std::min(end + 1, limit)));
      found = found.empty() ? task : found + " (" + task + ")";
      return;
    }
    // What stands under an error of ours says what to do about it.
    if (found.starts_with(kErrorHead) && line.starts_with(kHintHead)) return;
    found = line.substr(0, std::min(end + 1, limit));
  };
  LineSplitter splitter;
  splitter.feed(text, keep);
  splitter.finish(keep);
  return found;
}

std::string masked(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) {
      result += text[i];
      continue;
    }
    const auto hangs_on = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+' || c == ':';
    };
    while (i + 1 < text.size() && hangs_on(text[i + 1])) ++i;
    // A sign belongs to the number: "-0.5" and "0.5" are alike.
    if (!result.empty() && (result.back() == '-' || result.back() == '+')) result.pop_back();
    result += '#';
  }
  return result;
}

std::vector<std::string> shared_log_end(const std::vector<std::filesystem::path>& attempt_folders) {
  if (attempt_folders.empty()) return {};
  const std::vector<std::string> last = last_lines(attempt_folders.back());
  std::size_t shared = last.size();
  const std::size_t first = attempt_folders.size() > kMostLogs ? attempt_folders.size() - kMostLogs : 0;
  for (std::size_t i = first; i + 1 < attempt_folders.size(); ++i) {
    const std::vector<std::string> other = last_lines(attempt_folders[i]);
    std::size_t same = 0;
    while (same < std::min(shared, other.size()) &&
           masked(other[other.size() - 1 - same]) == masked(last[last.size() - 1 - same]))
      ++same;
    shared = same;
  }
  return {last.end() - static_cast<std::ptrdiff_t>(shared), last.end()};
}

}  // namespace tune::engine
