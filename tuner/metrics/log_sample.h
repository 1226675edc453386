#pragma once
// What the metric regexes make of a log that is already there: the answer to "why are there no metrics?".
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/metric_definition.h"

namespace tune::metrics {

struct SampleValue {
  std::uint64_t line = 0;  // counts from 1
  MetricPoint point;
};

// A line that the regex matches, but which gives no number.
struct SampleMiss {
  std::uint64_t line = 0;
  std::string captured;
  std::string text;  // "the regex reads 1 of 1,234.56: ..."
};

// What the sample says of one metric.
struct SampleMetric {
  std::string name;
  std::vector<SampleValue> values;       // in the order of the log
  std::vector<SampleMiss> misses;        // the first 100
  std::optional<SampleMiss> unread_end;  // where the last line that the regex matches is a miss: that one
  std::vector<std::string> notices;      // what a run would say beside the misses, each with its line
  std::string hint;                      // why there are no values, and what helps; else empty
};

struct LogSample {
  std::uint64_t lines = 0;
  std::vector<std::string> notices;   // of no metric that is known
  std::vector<SampleMetric> metrics;  // the definitions in order, then names that only TUNE_METRIC lines have
};

// Reads `log` to its end. Throws Error(kBadSpec) for a regex that regex_objection() objects to.
LogSample read_log_sample(const std::vector<MetricDefinition>& definitions, std::istream& log);

}  // namespace tune::metrics
