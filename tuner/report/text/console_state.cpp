#include "tuner/report/text/console_state.h"

#include <algorithm>

namespace tune::report {
namespace {

constexpr const char* kTraining = "training";
constexpr const char* kStopping = "stopping";
constexpr const char* kStopped = "stopped";
constexpr const char* kTrainingFailed = "training failed";
constexpr const char* kCompleted = "completed";

// Of what has ended well: where the newest version that was made of it stands, a deployed one first.
std::string after_training(const StudyRows& rows, int trial) {
  std::string state = kCompleted;
  for (const Deployment& deployment : rows.deployments) {
    if (deployment.study != rows.study.name || (trial > 0 && deployment.trial != trial)) continue;
    if (state == kCompleted || state == kNotDeployed) state = deployment.state;
    if (deployment.state == "deployed") return deployment.state;
  }
  return state;
}

// Of the trials that are there: what was deleted says nothing.
bool has_every_trial_failed(const std::vector<store::TrialRow>& trials) {
  const TrialCounts counts = count_trials(trials);
  return counts.by_state.contains(TrialState::kFailed) && !counts.by_state.contains(TrialState::kCompleted) &&
         !counts.by_state.contains(TrialState::kStopped);
}

}  // namespace

std::string console_state(const StudyRows& rows) {
  switch (rows.study.state) {
    case store::StudyState::kRunning:
      return rows.is_stopping ? kStopping : kTraining;
    case store::StudyState::kInterrupted:
      return rows.study.finish_reason.starts_with(store::kPausedNotice) ? kTrainingFailed : kStopped;
    case store::StudyState::kFinished:
      return has_every_trial_failed(rows.trials) ? kTrainingFailed : after_training(rows, 0);
  }
  return {};
}

std::string console_state(const StudyRows& rows, const store::TrialRow& trial) {
  switch (trial.state) {
    case TrialState::kQueued:
    case TrialState::kPaused:
      return "queued";
    case TrialState::kRunning:
      if (rows.study.state != store::StudyState::kRunning) return kStopped;
      return rows.is_stopping || rows.study.facts.stop_requests.contains(trial.number) ? kStopping
                                                                                       : kTraining;
    case TrialState::kCompleted:
      return after_training(rows, trial.number);
    case TrialState::kStopped:
      return kStopped;
    case TrialState::kFailed:
      return kTrainingFailed;
  }
  return {};
}

}  // namespace tune::report
