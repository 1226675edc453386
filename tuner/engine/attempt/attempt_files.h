#pragma once
// What an attempt's folder says: metrics.jsonl, exit.json.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/clock.h"
#include "tuner/core/exit_record.h"
#include "tuner/core/history.h"
#include "tuner/core/stop_reason.h"

namespace tune::engine {

struct MetricRecord {
  std::string name;
  MetricPoint point;
  WallTime time;
};

// What a metric's lines gave that was no number.
struct UnreadLines {
  std::uint64_t count = 0;
  std::string text;      // of the last: "the regex captured "(0.5)", which is not a number: ..."
  bool is_last = false;  // no value came after it
};

// What a person should know of a metric.
struct MetricNotice {
  std::string metric;  // empty: of none that is known
  std::string about;   // "value", "unit", "step", "repeat": said once a metric
  std::string text;
};

// A piece of metrics.jsonl.
struct MetricTail {
  std::vector<MetricRecord> records;
  std::map<std::string, UnreadLines> unread;  // by metric
  std::vector<MetricNotice> notices;
  std::uint64_t offset = 0;  // where the next call starts
  bool has_more = false;     // the file goes on there
  int dropped = 0;
  std::string spoilt;  // why it cannot be read, once a trainer has put something else in its place
};
inline constexpr std::size_t kMetricsPiece = 1 << 20;  // bytes; some ten thousand lines
// Complete lines from byte `offset` on, of about `most` bytes, so that a long file is read in pieces. An
// unterminated last line is left for the next call. Lines that carry another token, and lines longer than a
// piece, are dropped and counted.
MetricTail read_metrics(const std::filesystem::path& folder, std::uint64_t offset, const std::string& token,
                        std::size_t most = kMetricsPiece);
// Goes on with what is known of one metric's unread lines by what a piece of the file says.
void follow(UnreadLines& lines, const MetricTail& tail, const std::string& metric);
// What the lines of one metric up to byte `end` gave that was no number, for a caller that has not followed
// them.
UnreadLines unread_before(const std::filesystem::path& folder, std::uint64_t end, const std::string& token,
                          const std::string& metric);
// The metrics whose captured steps an attempt gave up for counting.
std::set<std::string> metrics_with_counted_steps(const std::filesystem::path& folder,
                                                 const std::string& token);

struct ExitReport : ExitRecord {
  std::optional<StopReason> stop = {};  // that was sent
};
// nullopt when there is no exit.json, or it is another attempt's (token), or something else lies in its
// place: `spoilt`, if given, then says what.
std::optional<ExitReport> read_exit(const std::filesystem::path& folder, const std::string& token,
                                    std::string* spoilt = nullptr);

// Whether a trial has left anything to go on from.
bool has_checkpoint(const std::filesystem::path& study_folder, int trial);
// Whether that was written by this attempt, and not by one before it.
bool has_saved(const std::filesystem::path& study_folder, AttemptId id);

}  // namespace tune::engine
