#pragma once
// What an attempt's folder says: metrics.jsonl, exit.json.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/history.h"

namespace tune::engine {

struct MetricRecord {
  std::string name;
  MetricPoint point;
  WallTime time;
  std::string warning = {};  // of the metric's first such record: what a person should know of its regex
};

// Complete lines of metrics.jsonl from byte `offset` on. An unterminated last line is left for the next call.
// Lines that carry another token are dropped and counted.
struct MetricTail {
  std::vector<MetricRecord> records;
  std::uint64_t offset = 0;  // where the next call starts
  int dropped = 0;
  std::string spoilt;  // why it cannot be read, once a trainer has put something else in its place
};
MetricTail read_metrics(const std::filesystem::path& folder, std::uint64_t offset, const std::string& token);

struct ExitReport {
  std::string token;
  std::optional<int> exit_code;  // one of exit_code and signal
  std::optional<int> signal;
  std::string stop;  // reason of the stop that was sent; empty if none was
  std::string
      failure;  // the supervisor's own: "command not found: ...", "metrics.jsonl is over 64 MB"; or empty
  double wall_seconds = 0, cpu_seconds = 0;
  std::uint64_t max_rss_bytes = 0;
  std::uint64_t cut_lines = 0;
};
// nullopt when there is no exit.json, or it is another attempt's (token), or something else lies in its
// place: `spoilt`, if given, then says what.
std::optional<ExitReport> read_exit(const std::filesystem::path& folder, const std::string& token,
                                    std::string* spoilt = nullptr);

}  // namespace tune::engine
