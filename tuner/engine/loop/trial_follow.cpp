// TrialDesk, while an attempt runs: its metrics, and the stop rule that judges them.
#include <algorithm>
#include <utility>

#include "tuner/engine/loop/trial_desk.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace {
// Shorter trials are over before a rule could judge them.
constexpr Milliseconds kShortTrial{500};
// A turn of the loop takes longer only when the loop was stopped or waited for something.
constexpr Milliseconds kLongestTurn{1'000};
}  // namespace

void TrialDesk::on_progress(AttemptId id) {
  const auto found = running_.find(id.trial);
  if (found == running_.end() || found->second.attempt.attempt != id.attempt) return;
  found->second.grown = true;
  found->second.unheard = {};
  if (parts_.clock.steady_now() >= found->second.read_at) read(found->second);
}

void TrialDesk::on_alive(AttemptId id) {
  const auto found = running_.find(id.trial);
  if (found != running_.end() && found->second.attempt.attempt == id.attempt) found->second.unheard = {};
}

void TrialDesk::on_quiet(AttemptId id, RunnerEventKind what) {
  on_alive(id);
  const auto found = running_.find(id.trial);
  if (found == running_.end() || found->second.attempt.attempt != id.attempt) return;
  if (std::exchange(found->second.was_quiet, true) || is_quiet_usual_) return;
  const bool prints = what == RunnerEventKind::kNoMetric;
  const auto tree = descendants_of(static_cast<pid_t>(found->second.attempt.supervisor_pid), all_processes());
  const std::string states = states_of(tree);
  parts_.journal.notice(std::string(prints ? "no metric was printed for long; limits.no_metric_time would end"
                                           : "nothing was printed for long; limits.no_output would end") +
                            " a trial that hangs" +
                            (states.empty() ? std::string() : " (its processes: " + states + ")"),
                        id.trial, id.attempt);
}

void TrialDesk::end_unheard(SteadyTime now) {
  // Time in which the loop itself was held up says nothing: what came meanwhile waits to be read.
  const SteadyTime::duration listened =
      std::min<SteadyTime::duration>(now - std::exchange(last_listened_, now), kLongestTurn);
  for (auto& [number, running] : running_) {
    if (!running.heartbeat || running.stopping) continue;
    running.unheard += listened;
    if (running.unheard < kMissedHeartbeats * *running.heartbeat) continue;
    running.stopping = true;
    const auto pid = static_cast<pid_t>(running.attempt.supervisor_pid);
    const auto supervisor = process_info(pid);
    running.ended_unheard = "its supervisor gave no sign of life for " +
                            format_duration(std::chrono::duration_cast<Milliseconds>(running.unheard)) +
                            (supervisor ? ": " + states_of({*supervisor}) : std::string());
    parts_.journal.notice("it is ended, since " + running.ended_unheard, number, running.attempt.attempt);
    parts_.runner.stop({number, running.attempt.attempt}, Milliseconds(0), kStopUnheard);
  }
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
  MetricTail tail;
  do {
    tail = read_metrics(attempt_folder(parts_.frame.study_folder, id), running.attempt.metrics_offset,
                        running.attempt.token);
    take_piece(running, tail);
  } while (tail.has_more);
  running.grown = false;
  running.read_at = parts_.clock.steady_now() + kReadInterval;
}

void TrialDesk::take_piece(Running& running, const MetricTail& tail) {
  if (tail.offset == running.attempt.metrics_offset) return;
  parts_.journal.commit([&](Journal::Entry& entry) {
    write_metrics(entry, running, tail);
    store::AttemptRow attempt = running.attempt;
    attempt.metrics_offset = tail.offset;
    entry.store().update_attempt(attempt);
  });
  crash_point("metrics_committed");
  remember_notices(tail);
  running.said_dropped = running.said_dropped || tail.dropped > 0;
  take_in(running, tail);
}

void TrialDesk::write_metrics(Journal::Entry& entry, const Running& running, const MetricTail& tail) const {
  std::vector<store::MetricRow> rows;
  rows.reserve(tail.records.size());
  for (const MetricRecord& record : tail.records) {
    rows.push_back({running.attempt.trial, running.attempt.attempt, record.name, record.point, record.time});
  }
  if (!rows.empty()) entry.store().insert_metrics(rows);
  for (const MetricNotice& notice : tail.notices) write_notice(entry, running, notice);
  if (tail.dropped == 0 || running.said_dropped) return;
  StatusEvent event;
  event.trial = running.attempt.trial;
  event.attempt = running.attempt.attempt;
  event.message = std::to_string(tail.dropped) + " metric lines of another attempt were dropped";
  entry.event(std::move(event));
}

void TrialDesk::take_in(Running& running, const MetricTail& tail) {
  running.attempt.metrics_offset = tail.offset;
  follow(running.unread, tail, parts_.frame.spec.objective.metric);
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

// Each trial's events hold its notices; the display is told once a metric and study, and an earlier run of
// the loop may have done so.
void TrialDesk::write_notice(Journal::Entry& entry, const Running& running,
                             const MetricNotice& notice) const {
  StatusEvent event;
  event.trial = running.attempt.trial;
  event.attempt = running.attempt.attempt;
  event.metric = notice.metric;
  event.about = notice.about;
  event.message = (notice.metric.empty() ? "" : "metric \"" + notice.metric + "\": ") + notice.text;
  if (said_.contains({notice.metric, notice.about}) || was_said(notice))
    entry.record(event);
  else
    entry.event(std::move(event));
}

void TrialDesk::remember_notices(const MetricTail& tail) {
  for (const MetricNotice& notice : tail.notices) said_.insert({notice.metric, notice.about});
}

bool TrialDesk::was_said(const MetricNotice& notice) const {
  std::int64_t last = 0;
  for (auto events = parts_.store.events(last); !events.empty(); events = parts_.store.events(last)) {
    for (const store::EventRow& event : events) {
      if (event.kind == event_kind(StatusKind::kNotice) &&
          event.data.value("metric", std::string()) == notice.metric &&
          event.data.value("about", std::string()) == notice.about)
        return true;
    }
    last = events.back().id;
  }
  return false;
}

// A stop rule can do nothing with values that come when the trial ends.
void TrialDesk::warn_of_late_output(const Running& running, Milliseconds lasted) {
  const Spec& spec = parts_.frame.spec;
  if (spec.early_stopping.rule == "none" || lasted < kShortTrial || said_.contains({{}, "late"})) return;
  std::optional<WallTime> first, last;
  std::size_t count = 0;
  for (const store::MetricRow& row : parts_.store.metrics(running.attempt.trial, spec.objective.metric)) {
    if (row.attempt != running.attempt.attempt) continue;
    first = first ? std::min(*first, row.time) : row.time;
    last = last ? std::max(*last, row.time) : row.time;
    ++count;
  }
  if (count < 2 || !running.attempt.started) return;
  const Milliseconds silent = *first - *running.attempt.started;
  if (silent * 10 < lasted * 9 || (*last - *first) * 20 > lasted) return;
  const MetricNotice notice{
      {},
      "late",
      "all " + std::to_string(count) + " values of " + spec.objective.metric +
          " came at the trial's end, too late for the rule to stop it: if the program "
          "prints them as it goes, its output is buffered; flush it, or put \"stdbuf\", "
          "\"-oL\" before the command (Python takes \"-u\" instead, behind \"python3\")"};
  parts_.journal.commit([&](Journal::Entry& entry) { write_notice(entry, running, notice); });
  said_.insert({notice.metric, notice.about});
}

}  // namespace tune::engine
