#pragma once
// Some of a study's trials, in an order of their own.
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::report {

// What a person wants to see of a table of trials.
struct TrialSelection {
  std::vector<std::string> states = {};      // any of them, "deleted" too; empty: all
  std::vector<std::string> conditions = {};  // all of them: "lr<1e-3", "optimizer=sgd", "note~Sobol"
  std::string sort = {};                     // a column; "": by number
  bool is_descending = false;
  std::optional<std::size_t> limit = {};  // the first so many
};

// The places of those trials in the list of `study`, as trials_json() has it. A column is a fact of the trial
// ("trial", "state", "value", "value2", "budget", "attempts", "seconds", "created", "started", "ended",
// "failure", "reason", "note"), else a hyperparameter, else a metric, an objective's too. A trial without a
// value of a column comes last. Throws Error(kUsage) for what is no state, no condition or no column.
std::vector<std::size_t> select_trials(const Json& study, const TrialSelection& selection);

}  // namespace tune::report
