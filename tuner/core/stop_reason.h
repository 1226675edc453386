#pragma once
// Why an attempt was told to stop. The texts travel to its supervisor, and come back in exit.json.
#include <string>

namespace tune {

enum class StopReason {
  // Of the engine.
  kRule,             // a stop rule's verdict
  kPerson,           // a person stopped this trial
  kPause,            // a stop rule wants the trial to wait
  kDrain,            // a person interrupted the study
  kTimeLimit,        // limits.time ran out
  kDeviceTimeLimit,  // limits.gpu_hours is spent
  kCostLimit,        // limits.cost_usd is spent
  kTarget,           // limits.target is reached
  kUnheard,          // its supervisor gave no sign of life for long
  // Stands in an attempt's row alone: it ended with the orchestrator that had started it, by a reboot or the
  // end of a container for example, which says nothing about the trial.
  kOrphaned,
  // Of the supervisor itself.
  kTimeout,     // limits.trial_time ran out
  kNoOutput,    // limits.no_output ran out
  kNoMetric,    // limits.no_metric_time ran out
  kTerminated,  // it got a signal
  kJobTime,     // the time of its job is nearly over
  kLost,        // the engine has died
};

const char* to_string(StopReason reason);
StopReason stop_reason_from_string(const std::string& text);  // throws std::invalid_argument

}  // namespace tune
