#pragma once
// What a study asks of its strategy and of its stop rule.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/space.h"

namespace tune {

struct StrategySpec {
  std::string name = "auto";
  std::optional<std::uint64_t> seed;              // absent: drawn once, when the study is created
  std::vector<ParameterSet> try_first;            // may be partial: the strategy fills the rest
  std::string try_first_note = "from try_first";  // what their trials' notes begin with
};

struct EarlyStopping {
  std::string rule = "none";
  int min_trials = 3;  // finished or stopped trials that must have reached a step before it is judged there
  std::int64_t start_step = 1;  // first step that is judged
};

}  // namespace tune
