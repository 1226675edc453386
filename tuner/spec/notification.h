#pragma once
// Whom a study tells of what: the spec's section `notify`.
#include <map>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/spec/environment_value.h"

namespace tune {

enum class NotifyOn {
  kFinished,  // the search has ended, with a result
  kFailed,    // it cannot go on without a person, or has ended without one
  kBest,      // a trial is better than all before it
  kBudget,    // most of a limit of time or money is taken, and then all of it
};
const char* to_string(NotifyOn on);  // "finished", "failed", "best", "budget"

// A command that is run when one of these happens.
struct Notification {
  std::vector<NotifyOn> on;
  std::vector<std::string> command;
  std::map<std::string, EnvironmentValue> environment;
  Milliseconds time_limit{30'000};
};

// The variables that tell it what has happened.
inline constexpr const char* kEventVariable = "TUNE_EVENT";  // as in `on`
inline constexpr const char* kEventFileVariable = "TUNE_EVENT_FILE";
inline constexpr const char* kMessageVariable = "TUNE_MESSAGE";
inline constexpr const char* kStudyVariable = "TUNE_STUDY";
inline constexpr const char* kStoreVariable = "TUNE_STORE";

}  // namespace tune
