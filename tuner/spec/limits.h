#pragma once
// What ends a study and its trials.
#include <optional>

#include "tuner/core/clock.h"
#include "tuner/core/json.h"

namespace tune {

// What becomes of a trial whose trial_time runs out after it has reached a value.
enum class OnTrialTime { kComplete, kFail };

struct Limits {
  std::optional<int> trials;
  std::optional<int> parallel;
  std::optional<Milliseconds> time;
  std::optional<Milliseconds> trial_time;
  OnTrialTime on_trial_time = OnTrialTime::kComplete;
  std::optional<Milliseconds> no_output;       // a trial that prints nothing for so long fails
  std::optional<Milliseconds> no_metric_time;  // a trial whose log gives no metric for so long fails
  std::optional<double> gpu_hours;  // device hours; without devices (the CPU) a lease counts as one
  std::optional<double> cost_usd;
  std::optional<double> target;       // a completed trial at least as good ends the study
  std::optional<int> no_improvement;  // so many trials in a row without a new best end it
  std::optional<double> convergence;  // an expected improvement below this part of the best value ends it
};

// As a study's row holds those in force:
// {"trials":20,"parallel":4,"time":"7200s","trial_time":"1200s"}.
Json limits_json(const Limits& limits);
Limits limits_from_json(const Json& json);  // throws std::exception for anything else
// The limits with those that `others` sets in their place.
Limits limits_in_place(const Limits& limits, const Limits& others);

}  // namespace tune
