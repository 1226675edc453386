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

// What becomes of a trial that falls behind at a rung: it is stopped, or waits with its checkpoint until it
// is among the best.
enum class StopForm { kStop, kPause };

struct EarlyStopping {
  std::string rule = "none";
  int min_trials = 3;  // that must have reached a step, or a rung, before a trial is judged there
  std::optional<std::int64_t> start_step;  // first step that is judged; absent: the rule's own choice
  // Of rules with rungs (asha, hyperband, auto), or that look at the end of a training (prediction):
  std::optional<int> reduction_factor;   // one trial of so many goes beyond a rung; absent: by the form
  std::optional<StopForm> form;          // absent: the rule's own choice
  std::optional<int> brackets;           // of hyperband; absent: as many as there are rungs, and one
  std::optional<std::int64_t> max_step;  // the last step of a full training; absent: what trials show
  std::string max_step_parameter;        // the parameter that holds it, where trials differ
  double risk = 0.05;                    // of prediction: of stopping what would have won
};

// The best trials again, when the search has ended.
struct Replicates {
  int top = 3;    // trials
  int seeds = 3;  // fresh ones of each
};

}  // namespace tune
