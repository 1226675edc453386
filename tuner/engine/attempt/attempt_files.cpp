#include "tuner/engine/attempt/attempt_files.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {
namespace {

// The supervisor stops behind the first write beyond its limit.
constexpr std::uint64_t kLargestMetrics = kMetricsLimit + (16u << 20);

constexpr std::size_t kExitLimit = 1 << 20;  // bytes; the supervisor writes one block

// Adds what a line says. False when it is none of this attempt's.
bool add_line(std::string_view line, const std::string& token, MetricTail& tail) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return false;
  try {
    if (json.at("token").get_ref<const std::string&>() != token) return false;
    const std::string name = json.at("name").get<std::string>();
    if (json.contains("notice")) {
      tail.notices.push_back(
          {name, json.at("about").get<std::string>(), json.at("notice").get<std::string>()});
      return true;
    }
    const auto unread = tail.unread.find(name);
    if (json.contains("unread")) {
      UnreadLines& lines = unread == tail.unread.end() ? tail.unread[name] : unread->second;
      lines = {lines.count + 1, json.at("unread").get<std::string>(), true};
      return true;
    }
    tail.records.push_back({name,
                            {json.at("step").get<std::int64_t>(), number_from_json(json.at("value"))},
                            WallTime(Milliseconds(json.at("time_ms").get<std::int64_t>()))});
    if (unread != tail.unread.end()) unread->second.is_last = false;
    return true;
  } catch (const Json::exception&) {
    return false;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

struct FileContent {
  bool is_there = false;
  std::string bytes, spoilt;
};

// The bytes of the file from `offset` on, at most `most`.
FileContent content_from(const std::filesystem::path& path, std::uint64_t offset, std::size_t most) {
  FileContent content;
  const OpenedFile file = open_regular_file(path);
  content.spoilt = file.spoilt;
  if (file.descriptor < 0) return content;
  content.is_there = true;
  std::array<char, 64 * 1024> block;  // not touched before the kernel fills it: most files hold a few lines
  for (;;) {
    const ssize_t got =
        ::pread(file.descriptor, block.data(), std::min(block.size(), most - content.bytes.size()),
                static_cast<off_t>(offset + content.bytes.size()));
    const int reason = errno;
    if (got > 0) content.bytes.append(block.data(), static_cast<std::size_t>(got));
    const bool has_room = content.bytes.size() < most;
    if ((got > 0 && has_room) || (got < 0 && reason == EINTR)) continue;
    ::close(file.descriptor);
    if (got >= 0) return content;
    throw UnreadableFile("cannot read \"" + path.string() + "\": " + std::strerror(reason));
  }
}

}  // namespace

MetricTail read_metrics(const std::filesystem::path& folder, std::uint64_t offset, const std::string& token,
                        std::size_t most) {
  MetricTail tail;
  tail.offset = offset;
  std::error_code ignored;
  if (const auto size = std::filesystem::file_size(folder / kMetricsFile, ignored);
      !ignored && size > kLargestMetrics) {
    tail.spoilt = kMetricsFile + std::string(" is larger than tune-supervisor ever makes it");
    return tail;
  }
  const FileContent content = content_from(folder / kMetricsFile, offset, most);
  tail.spoilt = content.spoilt;
  tail.has_more = content.bytes.size() >= most;
  std::string_view rest = content.bytes;
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    if (!add_line(rest.substr(0, end), token, tail)) ++tail.dropped;
    tail.offset += end + 1;
  }
  if (tail.has_more && rest.size() == content.bytes.size()) {
    ++tail.dropped;
    tail.offset += rest.size();
  }
  return tail;
}

void follow(UnreadLines& lines, const MetricTail& tail, const std::string& metric) {
  if (const auto found = tail.unread.find(metric); found != tail.unread.end()) {
    lines = {lines.count + found->second.count, found->second.text, found->second.is_last};
    return;
  }
  for (const MetricRecord& record : tail.records)
    if (record.name == metric) lines.is_last = false;
}

UnreadLines unread_before(const std::filesystem::path& folder, std::uint64_t end, const std::string& token,
                          const std::string& metric) {
  UnreadLines lines;
  MetricTail tail;
  do {
    tail =
        read_metrics(folder, tail.offset, token, std::min<std::uint64_t>(kMetricsPiece, end - tail.offset));
    follow(lines, tail, metric);
  } while (tail.has_more && tail.offset < end);
  return lines;
}

std::set<std::string> metrics_with_counted_steps(const std::filesystem::path& folder,
                                                 const std::string& token) {
  std::set<std::string> metrics;
  MetricTail tail;
  do {
    tail = read_metrics(folder, tail.offset, token);
    for (const MetricNotice& notice : tail.notices)
      if (notice.about == "step") metrics.insert(notice.metric);
  } while (tail.has_more);
  return metrics;
}

std::optional<ExitReport> read_exit(const std::filesystem::path& folder, const std::string& token,
                                    std::string* spoilt) try {
  const JsonFile content = read_json_file(folder / kExitFile, kExitLimit);
  if (spoilt) *spoilt = content.spoilt;
  if (!content.is_there || !content.spoilt.empty()) return std::nullopt;
  ExitReport report{exit_record(content.value)};
  if (report.token != token) return std::nullopt;
  if (!report.stop_text.empty()) report.stop = stop_reason_from_string(report.stop_text);
  return report;
} catch (const Json::exception&) {
  return std::nullopt;
} catch (const std::invalid_argument&) {  // no reason of this version's supervisor
  return std::nullopt;
}

bool has_checkpoint(const std::filesystem::path& study_folder, int trial) {
  const std::filesystem::path folder = checkpoint_folder(study_folder, trial);
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) && !std::filesystem::is_empty(folder, ignored);
}

bool has_saved(const std::filesystem::path& study_folder, AttemptId id) {
  namespace fs = std::filesystem;
  std::error_code error;
  // Both times are the file server's.
  const auto began = fs::last_write_time(attempt_folder(study_folder, id) / kLaunchFile, error);
  if (error) return false;
  for (fs::recursive_directory_iterator at(checkpoint_folder(study_folder, id.trial), error), end;
       !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (fs::is_regular_file(at->symlink_status()) && fs::last_write_time(at->path(), gone) >= began && !gone)
      return true;
  }
  return false;
}

}  // namespace tune::engine
