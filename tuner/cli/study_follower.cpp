#include "tuner/cli/study_follower.h"

#include <algorithm>

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

constexpr int kAtOnce = 1000;  // events of one reading

}  // namespace

StudyFollower::StudyFollower(const store::StudyStore& store, std::int64_t last_event,
                             const std::vector<store::AttemptRow>& attempts)
    : store_(store), metric_(store.study().objective.metric), last_event_(last_event) {
  for (const store::AttemptRow& attempt : attempts)
    if (is_live(attempt.state)) running_[attempt.trial] = attempt.attempt;
}

void StudyFollower::look(engine::Status& display) {
  tell_of_values(display);
  tell_of_events(display);
}

// What the loop knows and the store's events do not say.
void StudyFollower::complete(StatusEvent& event) const {
  if (event.kind == StatusKind::kAttemptRequeued)
    if (const auto trial = store_.trial(event.trial)) event.state = trial->state;
  if (event.kind == StatusKind::kRequest) event.limits = store_.study().limits;
}

void StudyFollower::tell_of_events(engine::Status& display) {
  while (true) {
    const std::vector<store::EventRow> rows = store_.events(last_event_, kAtOnce);
    for (const store::EventRow& row : rows) {
      last_event_ = row.id;
      auto event = engine::stored_event(row);
      if (!event) continue;
      complete(*event);
      if (event->kind == StatusKind::kAttemptStarted) running_[event->trial] = event->attempt;
      if (event->kind == StatusKind::kTrialFinished || event->kind == StatusKind::kAttemptRequeued) {
        running_.erase(event->trial);
        told_to_.erase(event->trial);
      }
      display.on_event(*event);
    }
    if (rows.size() < kAtOnce) return;
  }
}

void StudyFollower::tell_of_values(engine::Status& display) {
  for (const auto& [trial, attempt] : running_) {
    const auto point = store_.last_point(trial, metric_);
    if (!point) continue;
    const auto [told, is_first] = told_to_.try_emplace(trial, point->step);
    if (!is_first && told->second == point->step) continue;
    told->second = point->step;
    StatusEvent event = engine::event_of({trial, attempt}, StatusKind::kMetric);
    event.time = SystemClock().wall_now();
    event.metric = metric_;
    event.point = *point;
    display.on_event(event);
  }
}

}  // namespace tune::cli
