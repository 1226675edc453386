#include "tuner/engine/loop/status.h"

#include <utility>

namespace tune::engine {

const char* event_kind(StatusKind kind) {
  switch (kind) {
    case StatusKind::kStudyStarted:
      return "study_started";
    case StatusKind::kTrialQueued:
      return "trial_queued";
    case StatusKind::kAttemptStarted:
      return "attempt_started";
    case StatusKind::kMetric:
      return "metric";
    case StatusKind::kTrialFinished:
      return "trial_finished";
    case StatusKind::kAttemptRequeued:
      return "attempt_requeued";
    case StatusKind::kBest:
      return "best";
    case StatusKind::kNotice:
      return "notice";
    case StatusKind::kRequest:
      return "request";
    case StatusKind::kDraining:
      return "draining";
    case StatusKind::kPromotion:
      return "promotion";
    case StatusKind::kStudyFinished:
      return "study_finished";
  }
  return "notice";
}

StatusEvent event_of(AttemptId attempt, StatusKind kind, std::string message) {
  StatusEvent event;
  event.kind = kind;
  event.trial = attempt.trial;
  event.attempt = attempt.attempt;
  event.message = std::move(message);
  return event;
}

}  // namespace tune::engine
