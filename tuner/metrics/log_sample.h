#pragma once
// What the metric regexes make of a log that is already there: the answer to "why are there no metrics?".
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/spec.h"

namespace tune::metrics {

struct SampleValue {
  std::uint64_t line = 0;  // counts from 1
  MetricPoint point;
};

// A line that the regex matches, but whose first group is not a number.
struct SampleMiss {
  std::uint64_t line = 0;
  std::string captured;
};

// What the sample says of one metric.
struct SampleMetric {
  std::string name;
  std::vector<SampleValue> values;  // in the order of the log
  std::vector<SampleMiss> misses;   // the first 100
  std::string hint;                 // why there are no values, or wrong ones, and what helps; else empty
};

struct LogSample {
  std::uint64_t lines = 0;
  std::vector<SampleMetric> metrics;  // the definitions in order, then names that only TUNE_METRIC lines have
};

// Reads `log` to its end. Throws Error(kBadSpec) for a regex that regex_objection() objects to.
LogSample read_log_sample(const std::vector<MetricDefinition>& definitions, std::istream& log);

}  // namespace tune::metrics
