#include "tuner/engine/loop/metric_follower.h"

#include <algorithm>
#include <utility>

#include "tuner/os/crash_point.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {
namespace {

// A shorter trial is mostly the start of its program (Python with a framework takes seconds), so that its
// values come at its end however they are printed; and to stop it would save next to nothing.
constexpr Milliseconds kShortTrial{10000};

}  // namespace

void MetricFollower::read(RunningTrial& running) {
  const AttemptId id{running.attempt.trial, running.attempt.attempt};
  MetricTail tail;
  running.read_at = parts_.clock.steady_now() + kReadInterval;
  do {
    try {
      tail = read_metrics(attempt_folder(parts_.frame.study_folder, id), running.attempt.metrics_offset,
                          running.attempt.token);
    } catch (const UnreadableFile& error) {
      parts_.journal.notice_once(std::string(error.what()) + "; it is tried again: " + error.hint());
      return;
    }
    take_piece(running, tail);
  } while (tail.has_more);
  running.grown = false;
}

MetricTail MetricFollower::read_to_last_piece(RunningTrial& running) {
  const AttemptId id{running.attempt.trial, running.attempt.attempt};
  const auto folder = attempt_folder(parts_.frame.study_folder, id);
  MetricTail tail = read_metrics(folder, running.attempt.metrics_offset, running.attempt.token);
  for (; tail.has_more; tail = read_metrics(folder, running.attempt.metrics_offset, running.attempt.token))
    take_piece(running, tail);
  return tail;
}

void MetricFollower::take_piece(RunningTrial& running, const MetricTail& tail) {
  if (tail.offset == running.attempt.metrics_offset) return;
  parts_.journal.commit([&](Journal::Entry& entry) {
    write(entry, running, tail);
    store::AttemptRow attempt = running.attempt;
    attempt.metrics_offset = tail.offset;
    entry.store().update_attempt(attempt);
  });
  crash_point("metrics_committed");
  remember(tail);
  running.said_dropped = running.said_dropped || tail.dropped > 0;
  take_in(running, tail);
}

void MetricFollower::write(Journal::Entry& entry, const RunningTrial& running, const MetricTail& tail) const {
  std::vector<store::MetricRow> rows;
  rows.reserve(tail.records.size());
  for (const MetricRecord& record : tail.records) {
    rows.push_back({running.attempt.trial, running.attempt.attempt, record.name, record.point, record.time});
  }
  if (!rows.empty()) entry.store().insert_metrics(rows);
  for (const MetricNotice& notice : tail.notices) write_notice(entry, running, notice);
  if (tail.dropped == 0 || running.said_dropped) return;
  entry.event(event_of(running.id(), StatusKind::kNotice,
                       std::to_string(tail.dropped) + " metric lines of another attempt were dropped"));
}

void MetricFollower::take_in(RunningTrial& running, const MetricTail& tail) {
  running.attempt.metrics_offset = tail.offset;
  const std::optional<Objective>& second = parts_.frame.spec.second_objective;
  follow(running.unread, tail, parts_.frame.spec.objective.metric);
  if (second) follow(running.second_unread, tail, second->metric);
  for (const MetricRecord& record : tail.records) {
    StatusEvent event = event_of(running.id(), StatusKind::kMetric);
    event.time = record.time;
    event.metric = record.name;
    event.point = record.point;
    parts_.status.on_event(event);
    if (second && record.name == second->metric)
      parts_.book.add_second_point(running.attempt.trial, record.point);
    if (record.name != parts_.frame.spec.objective.metric) continue;
    look_for_new_beginning(running, record.point.step);
    time_steps(running, record);
    if (parts_.book.add_point(running.attempt.trial, record.point)) judge(running);
  }
}

// How long a step takes, as far as this attempt has shown. Of one that an earlier run started the store
// knows.
void MetricFollower::time_steps(RunningTrial& running, const MetricRecord& record) const {
  if (!running.first_step) running.first_step = record.point.step;
  if (running.adopted || !running.attempt.started) return;
  const double seconds = std::chrono::duration<double>(record.time - *running.attempt.started).count();
  const double steps = static_cast<double>(record.point.step - *running.first_step) + 1;
  if (seconds > 0 && steps > 0) parts_.book.set_pace(running.attempt.trial, seconds / steps);
}

// Whether a trial that was paused goes on where it was, or a little before, at its last checkpoint.
void MetricFollower::look_for_new_beginning(RunningTrial& running, std::int64_t first_step) const {
  const auto paused_at = std::exchange(running.paused_at, std::nullopt);
  if (!paused_at || *paused_at < 2 || 2 * first_step > *paused_at) return;
  running.pausing_trouble = "trial " + std::to_string(running.attempt.trial) + ", which was paused at step " +
                            std::to_string(*paused_at) + ", began anew at step " + std::to_string(first_step);
}

void MetricFollower::judge(RunningTrial& running) {
  // What repeats another trial is to go as far as that one did.
  if (running.stopping || running.trial.facts.rerun_of) return;
  const int number = running.attempt.trial;
  strategies::Verdict verdict =
      parts_.stop_rule.judge(parts_.book.trial(number), parts_.book.history(number));
  if (verdict.action == strategies::Action::kGoOn) return;
  running.stopping = true;
  running.attempt.reason = std::move(verdict.reason);
  running.verdict_brief = std::move(verdict.brief);
  running.attempt.facts.verdict = std::move(verdict.compared);
  // Before it acts: exit.json says only that a rule stopped the attempt, and a loop that takes it up after a
  // crash could not say why.
  parts_.journal.commit([&](Journal::Entry& entry) { entry.store().update_attempt(running.attempt); });
  crash_point("verdict_recorded");
  parts_.runner.stop({number, running.attempt.attempt}, parts_.frame.grace,
                     verdict.action == strategies::Action::kPause ? StopReason::kPause : StopReason::kRule);
}

// Each trial's events hold its notices; the display is told once a metric and study, and an earlier run of
// the loop may have done so.
void MetricFollower::write_notice(Journal::Entry& entry, const RunningTrial& running,
                                  const MetricNotice& notice) const {
  StatusEvent event =
      event_of(running.id(), StatusKind::kNotice,
               (notice.metric.empty() ? "" : "metric \"" + notice.metric + "\": ") + notice.text);
  event.metric = notice.metric;
  event.about = notice.about;
  if (said_.contains({notice.metric, notice.about}) || was_said(notice))
    entry.record(event);
  else
    entry.event(std::move(event));
}

void MetricFollower::remember(const MetricTail& tail) {
  for (const MetricNotice& notice : tail.notices) said_.insert({notice.metric, notice.about});
}

bool MetricFollower::was_said(const MetricNotice& notice) const {
  return parts_.store.has_event(event_kind(StatusKind::kNotice),
                                {{"metric", notice.metric}, {"about", notice.about}});
}

// A stop rule can do nothing with values that come when the trial ends.
void MetricFollower::warn_of_late_output(const RunningTrial& running, Milliseconds lasted) {
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
