#pragma once
// Rows of trials and of what they held devices for.
#include "store/study_store.h"

namespace tune::tests {

// Held from the beginning of time.
inline store::AttemptRow lease(int trial, int attempt, double seconds,
                               std::vector<std::string> devices = {}) {
  store::AttemptRow row;
  row.trial = trial;
  row.attempt = attempt;
  row.lease_seconds = seconds;
  row.devices = std::move(devices);
  row.started = WallTime(Milliseconds(0));
  row.ended = WallTime(Milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  return row;
}

inline store::TrialRow trial_in(int number, TrialState state) {
  store::TrialRow row;
  row.number = number;
  row.state = state;
  return row;
}

}  // namespace tune::tests
