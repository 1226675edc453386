#include "tuner/engine/attempt_files.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/regular_file.h"

namespace tune::engine {
namespace {

std::optional<MetricRecord> parse_metric(std::string_view line, const std::string& token) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    if (json.at("token").get_ref<const std::string&>() != token) return std::nullopt;
    MetricRecord record;
    record.name = json.at("name").get<std::string>();
    record.point = {json.at("step").get<std::int64_t>(), number_from_json(json.at("value"))};
    record.time = WallTime(Milliseconds(json.at("time_ms").get<std::int64_t>()));
    record.warning = json.value("warning", std::string());
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

struct FileContent {
  bool is_there = false;
  std::string bytes, spoilt;
};

// The bytes of the file from `offset` to its end.
FileContent content_from(const std::filesystem::path& path, std::uint64_t offset) {
  FileContent content;
  const OpenedFile file = open_regular_file(path);
  content.spoilt = file.spoilt;
  if (file.descriptor < 0) return content;
  content.is_there = true;
  std::array<char, 64 * 1024> block;  // not touched before the kernel fills it: most files hold a few lines
  for (;;) {
    const ssize_t got = ::pread(file.descriptor, block.data(), block.size(),
                                static_cast<off_t>(offset + content.bytes.size()));
    const int reason = errno;
    if (got > 0) content.bytes.append(block.data(), static_cast<std::size_t>(got));
    if (got > 0 || (got < 0 && reason == EINTR)) continue;
    ::close(file.descriptor);
    if (got == 0) return content;
    throw Error(ExitCode::kEnvironment, "cannot read \"" + path.string() + "\": " + std::strerror(reason));
  }
}

}  // namespace

MetricTail read_metrics(const std::filesystem::path& folder, std::uint64_t offset, const std::string& token) {
  MetricTail tail;
  tail.offset = offset;
  const FileContent content = content_from(folder / kMetricsFile, offset);
  tail.spoilt = content.spoilt;
  std::string_view rest = content.bytes;
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    if (auto record = parse_metric(rest.substr(0, end), token))
      tail.records.push_back(std::move(*record));
    else
      ++tail.dropped;
    tail.offset += end + 1;
  }
  return tail;
}

std::optional<ExitReport> read_exit(const std::filesystem::path& folder, const std::string& token,
                                    std::string* spoilt) try {
  const FileContent content = content_from(folder / kExitFile, 0);
  if (spoilt) *spoilt = content.spoilt;
  if (!content.is_there) return std::nullopt;
  const Json json = Json::parse(content.bytes);
  ExitReport report;
  report.token = json.at("token").get<std::string>();
  if (report.token != token) return std::nullopt;
  if (json.contains("exit_code")) report.exit_code = json.at("exit_code").get<int>();
  if (json.contains("signal")) report.signal = json.at("signal").get<int>();
  report.stop = json.at("stop").get<std::string>();
  report.failure = json.at("failure").get<std::string>();
  report.wall_seconds = json.at("wall_seconds").get<double>();
  report.cpu_seconds = json.at("cpu_seconds").get<double>();
  report.max_rss_bytes = json.at("max_rss_bytes").get<std::uint64_t>();
  report.cut_lines = json.at("cut_lines").get<std::uint64_t>();
  return report;
} catch (const Json::exception&) {
  return std::nullopt;
}

}  // namespace tune::engine
