#pragma once
// A study with a price, in whose cost each way to end has a part.
#include <string>
#include <utility>
#include <vector>

#include "tuner/report/numbers/study_rows.h"
#include "unit/store/store_fixture.h"

namespace tune::report {

inline store::AttemptRow leased(int trial, int attempt, double seconds,
                                std::vector<std::string> devices = {}) {
  store::AttemptRow row = store::attempt_row(trial, attempt);
  row.state = store::AttemptState::kExited;
  row.lease_seconds = seconds;
  row.devices = std::move(devices);
  return row;
}

inline store::TrialRow ended(int number, TrialState state, std::vector<double> values,
                             const std::string& reason = {}) {
  store::TrialRow row = store::completed(store::trial_row(number), 0);
  row.state = state;
  row.values = std::move(values);
  row.reason = reason;
  return row;
}

inline StudyRows priced_study() {
  StudyRows rows;
  rows.study = store::study_row();
  rows.study.spec["cost"]["usd_per_hour"] = 3.6;
  rows.study.state = store::StudyState::kFinished;
  rows.study.finish_reason = "trial limit";
  rows.study.elapsed_seconds = 125;
  rows.trials = {ended(1, TrialState::kCompleted, {0.25}), ended(2, TrialState::kCompleted, {0.4125}),
                 ended(3, TrialState::kStopped, {0.9}, "worse than the median"),
                 ended(4, TrialState::kFailed, {}, "exit code 3")};
  rows.trials[3].failure = "crash";
  rows.attempts = {leased(1, 1, 10), leased(1, 2, 100), leased(2, 1, 50, {"GPU-1", "GPU-2"}),
                   leased(3, 1, 20), leased(4, 1, 5)};
  return rows;
}

}  // namespace tune::report
