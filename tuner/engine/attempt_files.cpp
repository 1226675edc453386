#include "tuner/engine/attempt_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tuner/core/atomic_file.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

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
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

// The bytes of the file from `offset` to its end. Empty when there is no such file yet.
std::string read_from(const std::filesystem::path& path, std::uint64_t offset) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return {};
    throw Error(ExitCode::kEnvironment, "cannot read \"" + path.string() + "\": " + std::strerror(errno));
  }
  std::string content;
  std::array<char, 64 * 1024> block;  // not touched before the kernel fills it: most files hold a few lines
  for (;;) {
    const ssize_t got = ::pread(fd, block.data(), block.size(), static_cast<off_t>(offset + content.size()));
    const int reason = errno;
    if (got > 0) content.append(block.data(), static_cast<std::size_t>(got));
    if (got > 0 || (got < 0 && reason == EINTR)) continue;
    ::close(fd);
    if (got == 0) return content;
    throw Error(ExitCode::kEnvironment, "cannot read \"" + path.string() + "\": " + std::strerror(reason));
  }
}

}  // namespace

MetricTail read_metrics(const std::filesystem::path& folder, std::uint64_t offset, const std::string& token) {
  MetricTail tail;
  tail.offset = offset;
  const std::string content = read_from(folder / kMetricsFile, offset);
  std::string_view rest = content;
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    if (auto record = parse_metric(rest.substr(0, end), token))
      tail.records.push_back(std::move(*record));
    else
      ++tail.dropped;
    tail.offset += end + 1;
  }
  return tail;
}

std::optional<ExitReport> read_exit(const std::filesystem::path& folder, const std::string& token) try {
  const Json json = Json::parse(read_file(folder / kExitFile));
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
} catch (const Error& problem) {
  if (problem.code() == ExitCode::kNotFound) return std::nullopt;
  throw;
}

}  // namespace tune::engine
