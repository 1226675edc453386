#pragma once
// Metrics out of log lines: the spec's regexes (RE2, linear time) and TUNE_METRIC lines.
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/metric_definition.h"

namespace tune::metrics {

struct Match {
  std::string name;
  MetricPoint point;
};

// A line that a metric's regex matches, or a TUNE_METRIC line, which gives no number.
struct Unread {
  std::string name;
  std::string captured;
  std::string text;  // what was read and what helps: "the regex captured "(0.5)", which is not a number: ..."
};

// What a person should know of a metric.
struct Notice {
  std::string metric;  // empty: of no metric that is known
  std::string about;   // "value", "unit", "step", "repeat": each is said once a metric
  std::string text;
};

// Steps of earlier attempts, from which this one goes on.
struct EarlierSteps {
  std::map<std::string, std::int64_t> last;  // by metric
  std::set<std::string> counted;             // metrics whose captured steps were given up for counting
};

// Reads lines one by one and gives them steps, which never go back. A captured step is used while each is a
// whole number, none is smaller than the one before, and none was counted already; from the first that is
// not, the metric's values are counted. Not thread-safe.
class MetricReader {
 public:
  // Throws Error(kBadSpec) for a regex that regex_objection() objects to.
  explicit MetricReader(const std::vector<MetricDefinition>& definitions, EarlierSteps earlier = {});
  ~MetricReader();
  // The metrics on one line (no newline; a trailing '\r' is dropped). A line may match several metrics, each
  // once.
  std::vector<Match> read(std::string_view line);
  // What gave no number on the line that was read last.
  const std::vector<Unread>& unread() const;
  // What there is to say since the last call.
  std::vector<Notice> take_notices();
  // Says what only the end of the log shows.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::metrics
