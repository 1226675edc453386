// TrialDesk, while an attempt runs: its metrics, and the stop rule that judges them.
#include <utility>

#include "tuner/engine/crash_point.h"
#include "tuner/engine/trial_desk.h"

namespace tune::engine {
void TrialDesk::on_progress(AttemptId id) {
  const auto found = running_.find(id.trial);
  if (found == running_.end() || found->second.attempt.attempt != id.attempt) return;
  found->second.grown = true;
  if (parts_.clock.steady_now() >= found->second.read_at) read(found->second);
}

std::optional<SteadyTime> TrialDesk::read_due(SteadyTime now) {
  std::optional<SteadyTime> next;
  for (auto& [number, running] : running_) {
    if (!running.grown) continue;
    if (now >= running.read_at) {
      read(running);
    } else if (!next || running.read_at < *next) {
      next = running.read_at;
    }
  }
  return next;
}

void TrialDesk::read(Running& running) {
  const AttemptId id{running.attempt.trial, running.attempt.attempt};
  const MetricTail tail = read_metrics(attempt_folder(parts_.frame.study_folder, id),
                                       running.attempt.metrics_offset, running.attempt.token);
  running.grown = false;
  running.read_at = parts_.clock.steady_now() + kReadInterval;
  if (tail.offset == running.attempt.metrics_offset) return;
  parts_.journal.commit([&](Journal::Entry& entry) {
    write_metrics(entry, running, tail);
    store::AttemptRow attempt = running.attempt;
    attempt.metrics_offset = tail.offset;
    entry.store().update_attempt(attempt);
  });
  crash_point("metrics_committed");
  take_in(running, tail);
  pass_warnings_on(running, tail);
}

void TrialDesk::write_metrics(Journal::Entry& entry, const Running& running, const MetricTail& tail) const {
  std::vector<store::MetricRow> rows;
  rows.reserve(tail.records.size());
  for (const MetricRecord& record : tail.records) {
    rows.push_back({running.attempt.trial, running.attempt.attempt, record.name, record.point, record.time});
  }
  if (!rows.empty()) entry.store().insert_metrics(rows);
  if (tail.dropped == 0) return;
  StatusEvent event;
  event.trial = running.attempt.trial;
  event.attempt = running.attempt.attempt;
  event.message = std::to_string(tail.dropped) + " metric lines of another attempt were dropped";
  entry.event(std::move(event));
}

void TrialDesk::take_in(Running& running, const MetricTail& tail) {
  running.attempt.metrics_offset = tail.offset;
  for (const MetricRecord& record : tail.records) {
    StatusEvent event;
    event.kind = StatusKind::kMetric;
    event.time = record.time;
    event.trial = running.attempt.trial;
    event.attempt = running.attempt.attempt;
    event.metric = record.name;
    event.point = record.point;
    parts_.status.on_event(event);
    if (record.name != parts_.frame.spec.objective.metric) continue;
    if (parts_.book.add_point(running.attempt.trial, record.point)) judge(running);
  }
}

void TrialDesk::judge(Running& running) {
  if (running.stopping) return;
  const int number = running.attempt.trial;
  strategies::Verdict verdict =
      parts_.stop_rule.judge(parts_.book.trial(number), parts_.book.history(number));
  if (verdict.action == strategies::Action::kGoOn) return;
  running.stopping = true;
  running.attempt.reason = std::move(verdict.reason);
  // Before it acts: exit.json says only that a rule stopped the attempt, and a loop that takes it up after a
  // crash could not say why.
  parts_.journal.commit([&](Journal::Entry& entry) { entry.store().update_attempt(running.attempt); });
  crash_point("verdict_recorded");
  parts_.runner.stop({number, running.attempt.attempt}, parts_.frame.grace,
                     verdict.action == strategies::Action::kPause ? kStopPause : kStopRule);
}

// Once a metric and study: an earlier run of the loop may have said it.
void TrialDesk::pass_warnings_on(const Running& running, const MetricTail& tail) {
  for (const MetricRecord& record : tail.records) {
    if (record.warning.empty() || !warned_.insert(record.name).second) continue;
    const std::string start = "metric \"" + record.name + "\": ";
    if (!was_said(start))
      parts_.journal.notice(start + record.warning, running.attempt.trial, running.attempt.attempt);
  }
}

bool TrialDesk::was_said(const std::string& start) const {
  std::int64_t last = 0;
  for (auto events = parts_.store.events(last); !events.empty(); events = parts_.store.events(last)) {
    for (const store::EventRow& event : events) {
      if (event.kind == event_kind(StatusKind::kNotice) &&
          event.data.value("message", std::string()).starts_with(start))
        return true;
    }
    last = events.back().id;
  }
  return false;
}

}  // namespace tune::engine
