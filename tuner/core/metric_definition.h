#pragma once
// How a metric is found in a trainer's output.
#include <optional>
#include <string>

namespace tune {

struct MetricDefinition {
  std::string name;
  std::string regex;                // RE2, first capture group is the value; empty: TUNE_METRIC lines only
  std::optional<std::string> step;  // RE2 on every line, first capture group is the step
};

}  // namespace tune
