#include "tuner/core/exit_record.h"

namespace tune {
namespace {

constexpr const char *kToken = "token", *kExitCode = "exit_code", *kSignal = "signal", *kStop = "stop",
                     *kFailure = "failure", *kStartError = "start_error", *kOutOfMemory = "out_of_memory",
                     *kWallSeconds = "wall_seconds", *kCpuSeconds = "cpu_seconds",
                     *kMaxRssBytes = "max_rss_bytes", *kCutLines = "cut_lines", *kMetrics = "metrics";

}  // namespace

OrderedJson exit_json(const ExitRecord& record) {
  OrderedJson json;
  json["schema"] = 1;
  json[kToken] = record.token;
  if (record.exit_code) json[kExitCode] = *record.exit_code;
  if (record.signal) json[kSignal] = *record.signal;
  json[kStop] = record.stop_text;
  json[kFailure] = record.failure;
  if (record.start_error) json[kStartError] = *record.start_error;
  if (record.out_of_memory) json[kOutOfMemory] = true;
  json[kWallSeconds] = record.wall_seconds;
  json[kCpuSeconds] = record.cpu_seconds;
  json[kMaxRssBytes] = record.max_rss_bytes;
  json[kCutLines] = record.cut_lines;
  json[kMetrics] = record.metrics;
  return json;
}

ExitRecord exit_record(const Json& json) {
  ExitRecord record;
  record.token = json.at(kToken).get<std::string>();
  if (json.contains(kExitCode)) record.exit_code = json.at(kExitCode).get<int>();
  if (json.contains(kSignal)) record.signal = json.at(kSignal).get<int>();
  record.stop_text = json.at(kStop).get<std::string>();
  record.failure = json.at(kFailure).get<std::string>();
  if (json.contains(kStartError)) record.start_error = json.at(kStartError).get<int>();
  record.out_of_memory = json.value(kOutOfMemory, false);
  record.wall_seconds = json.at(kWallSeconds).get<double>();
  record.cpu_seconds = json.at(kCpuSeconds).get<double>();
  record.max_rss_bytes = json.at(kMaxRssBytes).get<std::uint64_t>();
  record.cut_lines = json.at(kCutLines).get<std::uint64_t>();
  record.metrics = json.value(kMetrics, std::uint64_t{0});
  return record;
}

}  // namespace tune
