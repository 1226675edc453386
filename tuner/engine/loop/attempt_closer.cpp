#include "tuner/engine/loop/attempt_closer.h"

#include <algorithm>
#include <utility>

#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/engine/loop/retries.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {

namespace {

std::vector<store::AttemptRow> earlier_attempts(const store::StudyStore& store,
                                                const store::AttemptRow& last) {
  std::vector<store::AttemptRow> attempts = store.attempts(last.trial);
  std::erase_if(attempts, [&](const store::AttemptRow& row) { return row.attempt >= last.attempt; });
  return attempts;
}

}  // namespace

AttemptCloser::AttemptCloser(const DeskParts& parts, MetricFollower& metrics)
    : parts_(parts),
      metrics_(metrics),
      best_(parts_.frame.spec.objective, parts_.frame.spec.second_objective) {
  for (const auto& trial : parts_.book.history().trials)
    if (trial->state == TrialState::kCompleted && !trial->replicate_of && trial->role != SearchRole::kRepeat)
      best_.add(trial->values);
}

std::optional<SecondEnd> AttemptCloser::second_end(const RunningTrial& running, Milliseconds lasted) const {
  const std::optional<Objective>& second = parts_.frame.spec.second_objective;
  if (!second) return std::nullopt;
  double seconds = static_cast<double>(lasted.count()) / 1000;
  for (const store::AttemptRow& row : parts_.store.attempts(running.attempt.trial))
    if (row.attempt != running.attempt.attempt) seconds += row.lease_seconds;
  return SecondEnd{*second, parts_.book.trial(running.attempt.trial).second_curve, running.second_unread,
                   seconds};
}

AttemptOutcome AttemptCloser::outcome_of(const RunningTrial& running, const std::optional<ExitReport>& report,
                                         const std::string& spoilt, const MemoryUse& memory,
                                         Milliseconds lasted) const {
  const std::vector<store::AttemptRow> attempts = earlier_attempts(parts_.store, running.attempt);
  const AttemptId id{running.attempt.trial, running.attempt.attempt};
  const bool ended_badly = report && !report->stop && !report->start_error && report->exit_code != 0;
  const auto folder = attempt_folder(parts_.frame.study_folder, id);
  AttemptOutcome outcome = classify(
      {report, parts_.frame.spec.objective, parts_.book.trial(id.trial).curve,
       parts_.frame.spec.trainer.has_value(), machine_losses(running.trial.facts, attempts), running.adopted,
       running.attempt.reason, ended_badly ? last_log_line(folder) : std::string(), spoilt, running.unread,
       ended_badly ? log_end(folder, kLogEnd) : std::string(), parts_.frame.spec.limits.on_trial_time,
       running.ended_unheard, parts_.frame.spec.retry.infrastructure, second_end(running, lasted),
       report && (report->stop == StopReason::kJobTime || report->stop == StopReason::kTerminated) &&
           has_saved(parts_.frame.study_folder, id)});
  // What an earlier run could not start is tried again, and it may be mended by now.
  if (running.adopted) outcome.fault.reset();
  if (auto fault = fault_of(running, outcome)) {
    const std::string how = outcome.reason;
    outcome = {
        TrialState::kQueued, "no fault of the trial's (" + fault->message + "): " + how, {}, std::nullopt};
    outcome.fault = std::move(fault);
  }
  retry_without_memory(attempts, parts_.frame.spec, running.trial.parameters, memory.had_company, outcome);
  if (const Json& overrides = running.attempt.facts.overrides;
      !overrides.empty() && outcome.state != TrialState::kQueued)
    outcome.reason += ", with " + overrides_text(overrides, parts_.frame.spec, running.trial.parameters) +
                      ", since it ran out of memory as it was suggested";
  return outcome;
}

// Why a trial that has failed did so, where its folder, its program or its devices have gone meanwhile.
std::optional<Fault> AttemptCloser::fault_of(const RunningTrial& running,
                                             const AttemptOutcome& outcome) const {
  if (running.adopted || outcome.state != TrialState::kFailed) return std::nullopt;
  const std::vector<std::string> lost = parts_.runner.lost_devices(running.attempt.devices);
  if (!lost.empty())
    return Fault{Fault::Kind::kSlot, "GPU " + lost.front() + " does not answer any more",
                 "`nvidia-smi` says more"};
  return parts_.set_up_fault ? parts_.set_up_fault() : std::nullopt;
}

// A replicate alone is never the best: what it says of the trial that it repeats is (History::best()). Nor is
// an exact repeat: the best of many tries at one point is luck.
bool AttemptCloser::is_new_best(const store::TrialRow& trial, const AttemptOutcome& outcome) const {
  return !trial.facts.replicate_of && !trial.facts.rerun_of && outcome.state == TrialState::kCompleted &&
         best_.is_improved_by(outcome.values());
}

TrialEnd AttemptCloser::close(RunningTrial& running, const MemoryUse& memory) {
  const int number = running.attempt.trial;
  const auto folder = attempt_folder(parts_.frame.study_folder, {number, running.attempt.attempt});
  running.stopping = true;  // no rule judges what has ended
  MetricTail tail;
  std::string spoilt;
  std::optional<ExitReport> report;
  try {
    tail = metrics_.read_to_last_piece(running);
    report = read_exit(folder, running.attempt.token, &spoilt);
  } catch (const UnreadableFile& error) {
    // One attempt's files are no reason to end the others: it was lost.
    tail.offset = std::max(tail.offset, running.attempt.metrics_offset);
    running.ended_unheard = error.what();
    parts_.journal.notice_once(std::string(error.what()) + "; its trial runs again: " + error.hint());
  }
  if (spoilt.empty()) spoilt = tail.spoilt;
  // Memory first, since the outcome depends on these points. Should the commit fail for good, the run is over
  // and what is in memory with it; the files are read again by the next one.
  metrics_.take_in(running, tail);
  const Milliseconds lasted = this->lasted(running, report);
  AttemptOutcome outcome = outcome_of(running, report, spoilt, memory, lasted);
  if (outcome.state == TrialState::kPaused && !running.stopped_by.empty()) {
    outcome.state = TrialState::kStopped;
    outcome.reason = running.stopped_by;
  }
  // It has printed nothing since it went on.
  if (outcome.state == TrialState::kFailed && running.paused_at)
    running.pausing_trouble = "trial " + std::to_string(number) + ", which was paused at step " +
                              std::to_string(*running.paused_at) + ", failed when it went on (" +
                              outcome.reason + ")";
  if (outcome.state == TrialState::kPaused && !has_checkpoint(parts_.frame.study_folder, number)) {
    outcome.state = TrialState::kStopped;
    running.pausing_trouble = "trial " + std::to_string(number) + " left no checkpoint to go on from";
    outcome.reason += " It is stopped for good, since it left no checkpoint.";
  }
  close_attempt(running, report, outcome, memory, lasted);
  close_trial(running.trial, outcome);
  crash_point("before_end");
  parts_.journal.commit([&](Journal::Entry& entry) {
    metrics_.write(entry, running, tail);
    if (report && report->cut_lines > 0) write_cut_lines(entry, running, report->cut_lines);
    write_end(entry, running, outcome);
  });
  crash_point("trial_ended");
  metrics_.remember(tail);
  if (report && !report->stop) metrics_.warn_of_late_output(running, lasted);
  const bool has_metrics = (outcome.state == TrialState::kFailed || outcome.state == TrialState::kStopped) &&
                           !parts_.store.metrics(number).empty();
  if (outcome.state == TrialState::kCompleted && !running.trial.facts.replicate_of &&
      !running.trial.facts.rerun_of)
    best_.add(outcome.values());
  if (outcome.state != TrialState::kQueued) {
    const bool did_not_fit = !running.attempt.facts.overrides.empty();
    parts_.book.set_memory(number, did_not_fit, did_not_fit ? std::nullopt : memory.peak);
  }
  if (is_finished(outcome.state)) {
    parts_.book.close(number, outcome.state, running.trial.values, outcome.failure);
  } else if (outcome.state == TrialState::kPaused) {
    parts_.book.pause(number, running.trial.values);
  } else {
    parts_.book.set_state(number, outcome.state);
  }
  return {
      number,          outcome.state, outcome.failure, outcome.reason,          lasted,
      running.attempt, has_metrics,   outcome.fault,   running.pausing_trouble, wait_of(running, outcome)};
}

// What the death of an orchestrator has ended runs again at once, as does what has another chance to fit.
Milliseconds AttemptCloser::wait_of(const RunningTrial& running, const AttemptOutcome& outcome) const {
  const store::AttemptRow& attempt = running.attempt;
  const store::TrialFacts& trial = running.trial.facts;
  if (outcome.state != TrialState::kQueued || outcome.fault || machine_losses(trial, {attempt}) == 0)
    return {};
  return backoff_after(machine_losses(trial, parts_.store.attempts(attempt.trial)), parts_.frame.spec.retry);
}

Milliseconds AttemptCloser::lasted(const RunningTrial& running,
                                   const std::optional<ExitReport>& report) const {
  if (running.held) return *running.held;
  if (running.waits && !report) return Milliseconds(0);
  if (report) return Milliseconds(static_cast<std::int64_t>(report->wall_seconds * 1000));
  return std::chrono::duration_cast<Milliseconds>(parts_.clock.steady_now() - running.started);
}

void AttemptCloser::close_attempt(RunningTrial& running, const std::optional<ExitReport>& report,
                                  const AttemptOutcome& outcome, const MemoryUse& memory,
                                  Milliseconds lasted) const {
  store::AttemptRow& attempt = running.attempt;
  attempt.facts.peak_device_memory = memory.peak;
  attempt.facts.failure = outcome.retried.empty() ? outcome.failure : outcome.retried;
  attempt.state = report ? store::AttemptState::kExited : store::AttemptState::kLost;
  attempt.reason = outcome.reason;
  attempt.ended = parts_.clock.wall_now();
  if (report) {
    if (!report->start_error) attempt.exit_code = report->exit_code;
    attempt.signal = report->signal;
    attempt.stop = report->stop;
    attempt.cpu_seconds = report->cpu_seconds;
    attempt.max_rss_bytes = report->max_rss_bytes;
  } else if (running.adopted) {
    attempt.stop = StopReason::kOrphaned;
  }
  attempt.lease_seconds = static_cast<double>(lasted.count()) / 1000;
}

void AttemptCloser::close_trial(store::TrialRow& trial, const AttemptOutcome& outcome) const {
  trial.state = outcome.state;
  trial.reason = outcome.reason;
  trial.failure = outcome.failure;
  if (outcome.state == TrialState::kQueued) return;
  trial.cut = outcome.cut;
  if (outcome.value) trial.values = outcome.values();
  if (is_finished(outcome.state)) trial.ended = parts_.clock.wall_now();
}

void AttemptCloser::write_cut_lines(Journal::Entry& entry, const RunningTrial& running,
                                    std::uint64_t count) const {
  StatusEvent event;
  event.trial = running.attempt.trial;
  event.attempt = running.attempt.attempt;
  event.message = (count == 1 ? "a line" : std::to_string(count) + " lines") +
                  " of the trainer's output over 64 kB: metrics were looked for in the beginning alone";
  entry.event(std::move(event));
}

void AttemptCloser::write_end(Journal::Entry& entry, const RunningTrial& running,
                              const AttemptOutcome& outcome) const {
  store::AttemptRow attempt = running.attempt;
  entry.store().update_attempt(attempt);
  entry.store().update_trial(running.trial);
  StatusEvent event;
  event.kind = is_finished(outcome.state) ? StatusKind::kTrialFinished : StatusKind::kAttemptRequeued;
  event.trial = attempt.trial;
  event.attempt = attempt.attempt;
  event.state = outcome.state;
  event.value = outcome.value;
  if (outcome.value) event.second_value = outcome.second;
  event.parameters = running.trial.parameters;
  event.replicate_of = running.trial.facts.replicate_of;
  event.rerun_of = running.trial.facts.rerun_of;
  event.message = outcome.failure.empty() ? outcome.reason : outcome.failure + ": " + outcome.reason;
  if (attempt.stop == StopReason::kRule || attempt.stop == StopReason::kPause)
    event.brief = running.verdict_brief;
  entry.event(event);
  if (!is_new_best(running.trial, outcome)) return;
  event.kind = StatusKind::kBest;
  event.message = {};
  entry.event(std::move(event));
}

}  // namespace tune::engine
