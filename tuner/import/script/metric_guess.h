#pragma once
// Metrics that a Python script prints, by the texts of its print() and logging calls.
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/import/script/python_calls.h"

namespace tune::script {

struct GuessedMetric {
  std::string name;   // "val_loss"
  std::string regex;  // "" where the script prints TUNE_METRIC lines, which need none
  std::string step;   // a regex; "" where the line tells no epoch or step
  Goal goal = Goal::kMaximize;
  int line = 0;
};

struct GuessedMetrics {
  std::vector<GuessedMetric> all;        // in the order of the script, each name once
  std::optional<std::size_t> objective;  // the one to search by: of a validation set rather than of others
  std::vector<std::string> remarks;      // what to look at, a sentence each
};

GuessedMetrics guess_metrics(Tokens tokens);

}  // namespace tune::script
