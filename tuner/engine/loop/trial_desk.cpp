#include "tuner/engine/loop/trial_desk.h"

#include <algorithm>
#include <utility>

#include "tuner/core/placed_point.h"
#include "tuner/core/rng.h"
#include "tuner/engine/loop/retries.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/process.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {
namespace fs = std::filesystem;
namespace {

// A turn of the loop takes longer only when the loop was stopped or waited for something.
constexpr Milliseconds kLongestTurn{1'000};

// What a trainer put in a folder's place is kept under another name, for people who look for the reason.
void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (!error) return;
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(folder, ignored)) && !fs::is_directory(folder, ignored))
    fs::rename(folder, folder.string() + ".spoilt");
  fs::create_directory(folder);
}

}  // namespace

TrialDesk::TrialDesk(Parts parts)
    : parts_(std::move(parts)),
      metrics_(parts_),
      closer_(parts_, metrics_),
      forecast_(parts_.frame.spec, parts_.store),
      last_listened_(parts_.clock.steady_now()) {}

std::optional<Fault> TrialDesk::start_new(const strategies::Suggestion& suggestion) {
  store::TrialRow trial;
  trial.number = parts_.book.next_number();
  trial.parameters = suggestion.parameters;
  trial.budget = suggestion.budget;
  trial.note = suggestion.note;
  trial.facts.replicate_of = suggestion.replicate_of;
  trial.facts.explanation = suggestion.explanation;
  trial.facts.explanation.emplace("strategy", parts_.frame.spec.strategy.name);
  trial.created = parts_.clock.wall_now();
  return start(std::move(trial), &suggestion);
}

std::optional<Fault> TrialDesk::start_again(int number) {
  auto trial = parts_.store.trial(number);
  TUNE_CHECK(trial.has_value());
  return start(std::move(*trial), nullptr);
}

std::optional<Fault> TrialDesk::start_resumed(const strategies::Suggestion& suggestion) {
  auto trial = parts_.store.trial(suggestion.resume_trial.value());
  TUNE_CHECK(trial.has_value());
  trial->budget = suggestion.budget;
  TUNE_CHECK(trial->state == TrialState::kPaused);
  return start(std::move(*trial), &suggestion);
}

store::AttemptRow TrialDesk::new_attempt(const store::TrialRow& trial) const {
  store::AttemptRow attempt;
  attempt.trial = trial.number;
  attempt.attempt = trial.attempts;
  attempt.token = random_token();
  attempt.state = store::AttemptState::kStarting;
  attempt.created = parts_.clock.wall_now();
  return attempt;
}

std::map<std::string, std::int64_t> TrialDesk::last_steps(int trial) const {
  std::map<std::string, std::int64_t> steps;
  for (const store::MetricRow& row : parts_.store.metrics(trial)) {
    std::int64_t& last = steps[row.name];
    last = std::max(last, row.point.step);
  }
  return steps;
}

// Those of the attempt before the one that begins.
std::set<std::string> TrialDesk::counted_steps(const store::TrialRow& trial) const {
  const std::vector<store::AttemptRow> attempts = parts_.store.attempts(trial.number);
  if (attempts.empty()) return {};
  const AttemptId id{trial.number, attempts.back().attempt};
  return metrics_with_counted_steps(attempt_folder(parts_.frame.study_folder, id), attempts.back().token);
}

void TrialDesk::make_folders(const Attempt& attempt) const {
  try {
    // From the top: all but the first are new, and looking for them at each step would cost as much again.
    const fs::path attempts = attempt.folder.parent_path(), trial = attempts.parent_path();
    for (const fs::path& folder :
         {trial.parent_path(), trial, attempts, attempt.folder, attempt.checkpoint_folder})
      make_folder(folder);
  } catch (const fs::filesystem_error& error) {
    const std::string message = std::string("an attempt's folder cannot be made: ") + error.what();
    if (is_disk_full(error.code().value())) throw DiskFull(message);
    throw Error(ExitCode::kEnvironment, message, "check that the store may be written");
  }
}

// A full disk is waited for in place: another attempt for each try would itself need room.
AttemptRecord TrialDesk::launch(const Attempt& attempt) {
  for (;;) {
    try {
      make_folders(attempt);
      return parts_.runner.start(attempt);
    } catch (const DiskFull& error) {
      if (!parts_.journal.wait_after(error)) throw;
    }
  }
}

// With what was assumed of parameters that the space has got since.
ParameterSet TrialDesk::parameters_to_run(const store::TrialRow& trial) const {
  const AmendedFrom& amended = parts_.amended;
  if (trial.facts.rerun_of.value_or(trial.number) > amended.trials) return trial.parameters;
  return completed_point(parts_.frame.spec.space, trial.parameters, amended.assumed);
}

Attempt TrialDesk::plan(const RunningTrial& running, Beginning beginning) const {
  const store::TrialRow& trial = running.trial;
  const bool resumes = beginning == Beginning::kFromCheckpoint;
  const ParameterSet parameters = parameters_to_run(trial);
  Attempt attempt =
      plan_attempt(parts_.frame, {{trial.number, trial.attempts},
                                  running.attempt.token,
                                  parameters,
                                  trial.budget,
                                  resumes,
                                  resumes ? last_steps(trial.number) : std::map<std::string, std::int64_t>{},
                                  running.attempt.facts.overrides,
                                  trial.facts.rerun_of});
  attempt.memory = running.attempt.facts.reserved_device_memory;
  if (resumes) attempt.steps_counted = counted_steps(trial);
  return attempt;
}

// The rows, before any process exists.
void TrialDesk::commit_plan(const RunningTrial& running, Beginning beginning,
                            const strategies::Suggestion* suggestion) {
  const store::TrialRow& trial = running.trial;
  parts_.journal.commit([&](Journal::Entry& entry) {
    // No checkpoint holds what an earlier attempt reached.
    if (beginning == Beginning::kOver) entry.store().remove_metrics(trial.number);
    if (beginning == Beginning::kNew) {
      entry.store().insert_trial(trial);
    } else {
      entry.store().update_trial(trial);
    }
    if (suggestion != nullptr) {
      StatusEvent event = event_of(running.id(), StatusKind::kTrialQueued, suggestion->note);
      event.parameters = trial.parameters;
      event.brief = suggestion->brief;
      event.choice = suggestion->choice;
      event.choice_reason = suggestion->choice_reason;
      event.replicate_of = suggestion->replicate_of;
      entry.event(std::move(event));
    }
    entry.store().insert_attempt(running.attempt);
  });
}

// What strategies see of it.
void TrialDesk::enter_in_book(const store::TrialRow& trial, Beginning beginning) {
  if (beginning == Beginning::kNew) {
    TrialView view;
    view.number = trial.number;
    view.parameters = trial.parameters;
    view.budget = trial.budget;
    view.state = TrialState::kRunning;
    view.replicate_of = trial.facts.replicate_of;
    parts_.book.add(std::move(view));
    return;
  }
  parts_.book.set_state(trial.number, TrialState::kRunning);
  if (beginning == Beginning::kOver) parts_.book.remove_points(trial.number);
  parts_.book.set_budget(trial.number, trial.budget);
}

void TrialDesk::record_start(RunningTrial running, const AttemptRecord& record) {
  running.attempt.state = store::AttemptState::kRunning;
  running.attempt.supervisor_pid = record.supervisor_pid;
  running.attempt.supervisor_start_time = record.supervisor_start_time;
  running.attempt.boot_id = record.boot_id;
  running.attempt.devices = record.devices;
  running.attempt.threads = record.threads;
  running.heartbeat = record.heartbeat;
  running.waits = record.waits;
  if (!record.waits) running.attempt.started = parts_.clock.wall_now();
  running.started = parts_.clock.steady_now();
  running.read_at = running.started + kReadInterval;
  // In the table first: should the commit fail for good, the attempt must still be stopped.
  const int number = running.trial.number;
  RunningTrial& place = running_.insert_or_assign(number, std::move(running)).first->second;
  parts_.journal.commit([&](Journal::Entry& entry) {
    entry.store().update_attempt(place.attempt);
    StatusEvent event = event_of(place.id(), StatusKind::kAttemptStarted);
    event.devices = place.attempt.devices;
    event.parameters = place.trial.parameters;
    event.rerun_of = place.trial.facts.rerun_of;
    entry.event(std::move(event));
  });
}

// What a trial saved with other hyperparameters is another training's. Before the rows of the attempt: where
// they are not written, the next one finds no checkpoint, and begins anew as well.
std::optional<Fault> TrialDesk::drop_checkpoints_of_others(const store::TrialRow& trial,
                                                           const Json& overrides) const {
  if (trial.attempts == 0 || trial.facts.overrides == overrides) return std::nullopt;
  const fs::path folder = checkpoint_folder(parts_.frame.study_folder, trial.number);
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) return std::nullopt;
  return Fault{Fault::Kind::kSetUp,
               "trial " + std::to_string(trial.number) + " is to run with other hyperparameters, and " +
                   folder.string() + ", which it saved before, cannot be removed: " + error.message(),
               "remove it, and run the same command again"};
}

std::optional<std::uint64_t> TrialDesk::memory_for(const ParameterSet& parameters, const Json& overrides,
                                                   const std::vector<store::AttemptRow>& attempts) const {
  if (!parts_.frame.spec.resources.packs_gpus || needs_whole_gpus(attempts)) return std::nullopt;
  return forecast_.most(parameters, overrides);
}

bool TrialDesk::has_room_for(int number) const {
  if (!parts_.frame.spec.resources.packs_gpus) return true;
  const auto attempts = parts_.store.attempts(number);
  const ParameterSet& parameters = parts_.book.trial(number).parameters;
  return parts_.runner.has_room(
      memory_for(parameters, overrides_after(attempts, parts_.frame.spec, parameters), attempts));
}

bool TrialDesk::has_room_for(const strategies::Suggestion& suggestion) const {
  if (suggestion.resume_trial) return has_room_for(*suggestion.resume_trial);
  return !parts_.frame.spec.resources.packs_gpus ||
         parts_.runner.has_room(memory_for(suggestion.parameters, Json::object(), {}));
}

bool TrialDesk::has_room() const {
  return !parts_.frame.spec.resources.packs_gpus || parts_.runner.has_room(forecast_.least());
}

std::optional<Fault> TrialDesk::start(store::TrialRow trial, const strategies::Suggestion* suggestion) {
  const std::vector<store::AttemptRow> attempts = parts_.store.attempts(trial.number);
  Json overrides = overrides_after(attempts, parts_.frame.spec, trial.parameters);
  if (auto fault = drop_checkpoints_of_others(trial, overrides)) return fault;
  crash_point("checkpoints_dropped");
  const bool was_paused = trial.state == TrialState::kPaused;
  trial.state = TrialState::kRunning;
  trial.values.clear();  // what it had reached when it was paused
  trial.attempts += 1;
  if (!trial.started) trial.started = parts_.clock.wall_now();
  trial.facts.overrides = overrides;
  RunningTrial running{.trial = trial, .attempt = new_attempt(trial), .started = {}, .read_at = {}};
  running.attempt.facts.reserved_device_memory = memory_for(trial.parameters, overrides, attempts);
  running.attempt.facts.overrides = std::move(overrides);
  const Beginning beginning = suggestion != nullptr && !suggestion->resume_trial ? Beginning::kNew
                              : has_checkpoint(parts_.frame.study_folder, trial.number)
                                  ? Beginning::kFromCheckpoint
                                  : Beginning::kOver;
  if (was_paused && !parts_.book.trial(trial.number).curve.empty())
    running.paused_at = parts_.book.trial(trial.number).curve.back().step;
  const Attempt attempt = plan(running, beginning);
  commit_plan(running, beginning, suggestion);
  enter_in_book(trial, beginning);
  crash_point("trial_committed");
  AttemptRecord record;
  try {
    record = launch(attempt);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kConflict && error.code() != ExitCode::kEnvironment) throw;
    return not_started(running, error);
  }
  crash_point("attempt_spawned");
  record_start(std::move(running), record);
  crash_point("attempt_recorded");
  if (attempt.memory)
    parts_.journal.notice_once(
        "trials share GPUs from here on, where what earlier ones took of their memory says that they fit");
  if (!record.notice.empty() && said_of_machine_.insert(record.notice).second)
    parts_.journal.notice(record.notice);
  return std::nullopt;
}

Fault TrialDesk::not_started(RunningTrial& running, const Error& error) {
  running.attempt.state = store::AttemptState::kExited;
  running.attempt.reason = error.what();
  running.attempt.ended = parts_.clock.wall_now();
  running.trial.state = TrialState::kQueued;
  parts_.journal.commit([&](Journal::Entry& entry) {
    entry.store().update_attempt(running.attempt);
    entry.store().update_trial(running.trial);
    entry.event(
        event_of(running.id(), StatusKind::kAttemptRequeued, std::string("not started: ") + error.what()));
  });
  parts_.book.set_state(running.trial.number, TrialState::kQueued);
  return start_fault(error);
}

AttemptRecord TrialDesk::record_of(const store::AttemptRow& row) const {
  const AttemptId id{row.trial, row.attempt};
  return {id,
          row.token,
          attempt_folder(parts_.frame.study_folder, id),
          row.supervisor_pid,
          row.supervisor_start_time,
          row.boot_id,
          row.devices,
          std::max(1, row.threads)};
}

std::optional<TrialEnd> TrialDesk::adopt(const store::AttemptRow& row, WallTime last_alive) {
  auto trial = parts_.store.trial(row.trial);
  TUNE_CHECK(trial.has_value());
  parts_.book.set_state(row.trial, TrialState::kRunning);
  const SteadyTime now = parts_.clock.steady_now();
  RunningTrial adopted{.trial = std::move(*trial),
                       .attempt = row,
                       .started = now,
                       .read_at = now,
                       .grown = true,
                       .adopted = true};
  RunningTrial& running = running_.insert_or_assign(row.trial, std::move(adopted)).first->second;
  grown_.insert(row.trial);
  const auto folder = record_of(row).folder;
  try {
    running.unread = unread_before(folder, row.metrics_offset, row.token, parts_.frame.spec.objective.metric);
    if (const auto& second = parts_.frame.spec.second_objective)
      running.second_unread = unread_before(folder, row.metrics_offset, row.token, second->metric);
  } catch (const UnreadableFile& error) {
    parts_.journal.notice_once(std::string(error.what()) + ": " + error.hint());
  }
  const bool runs = parts_.runner.attach(record_of(row));
  // What has ended did so when its orchestrator did, as far as anybody knows: nobody pays for the time since.
  const WallTime until = runs ? parts_.clock.wall_now() : last_alive;
  if (row.started && until > *row.started) running.started = now - (until - *row.started);
  running.waits = !row.started;
  // What goes on without its orchestrator ends for reasons of its own.
  if (runs && parts_.runner.outlives()) running.adopted = false;
  if (runs) return std::nullopt;
  return finish(running, {});
}

std::vector<store::AttemptRow> TrialDesk::leases() const {
  std::vector<store::AttemptRow> attempts;
  for (const auto& [number, running] : running_) {
    attempts.push_back(bill_item(running.attempt));
    if (running.waits) continue;
    attempts.back().lease_seconds =
        std::chrono::duration<double>(parts_.clock.steady_now() - running.started).count();
  }
  return attempts;
}

RunningTrial* TrialDesk::find(AttemptId id) {
  const auto found = running_.find(id.trial);
  return found == running_.end() || found->second.attempt.attempt != id.attempt ? nullptr : &found->second;
}

TrialEnd TrialDesk::finish(RunningTrial& running, const MemoryUse& memory) {
  TrialEnd end = closer_.close(running, memory);
  forecast_.add(running.trial.parameters, end.attempt.facts);
  if (running.was_quiet && end.state == TrialState::kCompleted) is_quiet_usual_ = true;
  running_.erase(end.trial);
  return end;
}

void TrialDesk::on_begin(AttemptId id, const JobBegin& begin) {
  RunningTrial* const running = find(id);
  if (running == nullptr || !running->waits) return;
  const WallTime now = parts_.clock.wall_now();
  running->waits = false;
  running->attempt.started = std::min(begin.since, now);
  running->attempt.devices = begin.devices;
  running->attempt.facts.job = begin.job;
  running->started = parts_.clock.steady_now() - (now - *running->attempt.started);
  parts_.journal.commit([&](Journal::Entry& entry) { entry.store().update_attempt(running->attempt); });
}

std::optional<TrialEnd> TrialDesk::on_exit(const RunnerEvent& event) {
  RunningTrial* const running = find(event.id);
  if (running == nullptr) return std::nullopt;
  running->held = event.held;
  if (!event.loss.empty()) running->ended_unheard = event.loss;
  return finish(*running, event.memory);
}

void TrialDesk::on_progress(AttemptId id) {
  RunningTrial* const running = find(id);
  if (running == nullptr) return;
  running->grown = true;
  grown_.insert(id.trial);
  running->unheard = {};
  if (parts_.clock.steady_now() >= running->read_at) read(*running);
}

void TrialDesk::on_alive(AttemptId id) {
  if (RunningTrial* const running = find(id)) running->unheard = {};
}

void TrialDesk::on_quiet(AttemptId id, RunnerEventKind what) {
  on_alive(id);
  RunningTrial* const running = find(id);
  if (running == nullptr) return;
  if (std::exchange(running->was_quiet, true) || is_quiet_usual_) return;
  const bool prints = what == RunnerEventKind::kNoMetric;
  const auto tree = descendants_of(static_cast<pid_t>(running->attempt.supervisor_pid), all_processes());
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
    parts_.runner.stop({number, running.attempt.attempt}, Milliseconds(0), StopReason::kUnheard);
  }
}

void TrialDesk::read(RunningTrial& running) {
  metrics_.read(running);
  if (!running.pausing_trouble.empty()) pausing_trouble_ = running.pausing_trouble;
}

std::optional<SteadyTime> TrialDesk::read_due(SteadyTime now) {
  std::optional<SteadyTime> next;
  for (auto number = grown_.begin(); number != grown_.end();) {
    const auto found = running_.find(*number);
    if (found != running_.end() && found->second.grown) {
      RunningTrial& running = found->second;
      if (now < running.read_at) {
        next = std::min(next.value_or(running.read_at), running.read_at);
        ++number;
        continue;
      }
      read(running);
    }
    number = grown_.erase(number);
  }
  return next;
}

void TrialDesk::stop_all(StopReason reason, Milliseconds grace) {
  for (const auto& [number, running] : running_)
    parts_.runner.stop({number, running.attempt.attempt}, grace, reason);
}

void TrialDesk::stop_silent(StopReason reason, Milliseconds grace) {
  for (const auto& [number, running] : running_)
    if (parts_.store.metrics(number).empty())
      parts_.runner.stop({number, running.attempt.attempt}, grace, reason);
}

bool TrialDesk::has_asked_for() const {
  return std::any_of(running_.begin(), running_.end(),
                     [](const auto& entry) { return entry.second.trial.facts.is_asked_for(); });
}

void TrialDesk::stop_search(StopReason reason, Milliseconds grace) {
  for (const auto& [number, running] : running_)
    if (!running.trial.facts.replicate_of && !running.trial.facts.is_asked_for())
      parts_.runner.stop({number, running.attempt.attempt}, grace, reason);
}

void TrialDesk::stop_for_good(int trial, const std::string& reason) {
  const auto found = running_.find(trial);
  if (found == running_.end()) return;
  RunningTrial& running = found->second;
  running.stopped_by = reason;
  if (running.stopping) return;
  running.stopping = true;
  running.attempt.reason = reason;
  parts_.journal.commit([&](Journal::Entry& entry) { entry.store().update_attempt(running.attempt); });
  parts_.runner.stop({trial, running.attempt.attempt}, parts_.frame.grace, StopReason::kPerson);
}

void TrialDesk::give_up(int number, const std::string& reason) {
  auto trial = parts_.store.trial(number);
  TUNE_CHECK(trial.has_value());
  const TrialView& view = parts_.book.trial(number);
  trial->values = reached_values(view.curve, view.second_curve, parts_.frame.spec.objective,
                                 parts_.frame.spec.second_objective);
  trial->state = TrialState::kStopped;
  trial->reason = reason;
  trial->ended = parts_.clock.wall_now();
  parts_.journal.commit([&](Journal::Entry& entry) {
    entry.store().update_trial(*trial);
    StatusEvent event;
    event.kind = StatusKind::kTrialFinished;
    event.trial = number;
    event.state = trial->state;
    event.rerun_of = trial->facts.rerun_of;
    if (!trial->values.empty()) event.value = trial->values.front();
    if (trial->values.size() > 1) event.second_value = trial->values[1];
    event.message = reason;
    entry.event(std::move(event));
  });
  parts_.book.close(number, TrialState::kStopped, trial->values, {});
}

}  // namespace tune::engine
