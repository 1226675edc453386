#include "tuner/engine/loop/study_loop.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "tuner/billing/neighbours.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/loop/alive_file.h"
#include "tuner/engine/loop/budget_watch.h"
#include "tuner/engine/loop/completion.h"
#include "tuner/engine/loop/database_file.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/inbox.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/poison_guard.h"
#include "tuner/engine/loop/replicate_words.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/loop/steering.h"
#include "tuner/engine/loop/study_record.h"
#include "tuner/engine/loop/trial_desk.h"
#include "tuner/engine/loop/trial_starter.h"
#include "tuner/os/crash_point.h"

namespace tune::engine {
namespace {
constexpr Milliseconds kTick{250};            // live displays
constexpr Milliseconds kHousekeeping{5'000};  // elapsed time is saved, the WAL looked at
constexpr Milliseconds kRetry{1'000};         // after the disk was full
constexpr Milliseconds kLastWait{5'000};      // for jobs that have been told to end at once

}  // namespace

struct StudyLoop::Impl {
  explicit Impl(const Parts& given);
  StudyResult run();

  Parts parts;
  DatabaseFile database;
  AliveFile alive;
  Limits limits;  // in force
  Inbox inbox;
  std::map<std::string, Json> answers;  // to requests, by their ids
  Journal journal;
  StudyRecord record;
  store::StudyRow& study = record.row();
  HistoryBook book;
  TrialDesk desk;
  PoisonGuard guard;
  Completion completion;
  SuggestionSource source;
  Spending spending;
  BudgetWatch budget;
  TrialStarter starter;
  StartQueue& queue = starter.queue();

  std::deque<RunnerEvent> postponed;  // events that came while the store could not be written
  std::set<AttemptId> unrecorded;     // that have ended, and whose end is not in the store
  bool is_told_to_stop = false;       // by a request, not by a signal
  bool is_drained = false;            // what had given no metric when the guard spoke
  bool search_is_stopped = false;     // what ran of it when the target was reached
  SteadyTime last_tick, last_housekeeping;
  const WallTime run_began = parts.began.value_or(parts.clock.wall_now());
  WallTime last_alive;  // when the run before this one last lived, as far as is known
  const Milliseconds grace = StudyFrame::kGrace;

  bool interrupted() const { return parts.interruption.count.load() > 0; }
  bool out_of_time() const { return limits.time && record.elapsed() >= *limits.time; }
  bool wait_for_store();
  void announce();
  void run_again(int number);
  bool stop_as_asked(int number);
  void take_up_old_attempts();
  bool is_pausing() const { return starter.trouble() || guard.verdict(); }
  bool may_start() const { return !is_pausing() && !is_held() && !interrupted(); }
  int finished_of_search();
  int enqueued_beyond_limit();
  bool is_held() const { return study.facts.held.has_value(); }
  void drain_silent_trials();
  RunnerEvent next_event(SteadyTime deadline);
  void step();
  void handle(const RunnerEvent& event);
  void listen(const RunnerEvent& event);
  void on_end(const TrialEnd& end);
  void read_inbox();
  void take_effect(const Request& request, const Effect& effect);
  void set_limits(const Limits& new_limits);
  void give_up_pausing(const std::string& why);
  void look_at_rungs();
  void keep_house(SteadyTime now);
  void look_at_neighbours();
  bool has_spent_all();
  std::optional<store::StudyEnd> over() const;
  void run_down(StopReason reason);
  void stop_search();
  bool has_asked_for() const;
  bool is_left() const { return parts.leaves && parts.runner.outlives() && !is_told_to_stop; }
  StudyResult leave();
  StudyResult drain();
  StudyResult pause();
  void stop_for_limit(store::StudyEnd limit);
  std::optional<StudyResult> end_by_target();
  StudyResult end_by_limit(store::StudyEnd limit);
  StudyResult end_stopped(store::StudyEnd limit);
  StudyResult finish(store::StudyEnd end);
  StudyResult abandon();
  StudyResult result(Outcome outcome, std::string reason);
};

StudyLoop::Impl::Impl(const Parts& given)
    : parts(given),
      database(parts.study_folder),
      alive(parts.study_folder),
      limits(parts.spec.limits),
      inbox(parts.study_folder),
      journal(parts.store, parts.clock, parts.status, [this] { return wait_for_store(); }),
      record(parts.store, parts.clock, journal),
      book(history_in(parts.store, parts.spec.space)),
      desk({{parts.spec, parts.work_folder.empty() ? parts.study_folder : parts.work_folder, study.seed,
             study.facts.precision.value_or("auto")},
            parts.store,
            parts.stop_rule,
            parts.runner,
            parts.clock,
            parts.status,
            journal,
            book,
            parts.set_up_fault,
            amended_from(study.facts)}),
      completion(parts.spec.limits, parts.spec.objective, parts.store.trials(), parts.store.attempts(),
                 parts.spec.second_objective),
      source(parts.strategy, parts.spec, study.seed, book, completion, journal,
             [this] { parts.runner.wake(); }),
      spending(device_budget(parts.spec.limits, parts.spec.usd_per_hour), parts.store.trials(),
               parts.store.attempts()),
      budget(parts.spec, parts.store, journal),
      starter({parts.spec, parts.runner, parts.clock, journal, record, book, desk, source, completion,
               spending, guard, parts.patience}),
      last_alive(alive.last_time(study.updated)) {
  last_tick = last_housekeeping = parts.clock.steady_now();
  if (parts.has_converged || had_converged(study))
    completion.resume_converged();
  else
    study.facts.search_end.reset();
}

// The runner goes on meanwhile, and what it says is kept for later.
bool StudyLoop::Impl::wait_for_store() {
  const SteadyTime deadline = parts.clock.steady_now() + kRetry;
  while (!interrupted() && parts.clock.steady_now() < deadline) {
    const RunnerEvent event = parts.runner.wait(deadline);
    if (event.kind == RunnerEventKind::kBegan || event.kind == RunnerEventKind::kProgress ||
        event.kind == RunnerEventKind::kExited)
      postponed.push_back(event);
    else
      listen(event);
  }
  return !interrupted();
}

// What needs no store.
void StudyLoop::Impl::listen(const RunnerEvent& event) {
  if (event.kind == RunnerEventKind::kAlive) desk.on_alive(event.id);
}

void StudyLoop::Impl::announce() {
  const Capacity capacity = parts.runner.capacity();
  starter.set_parallel(std::max(1, limits.parallel.value_or(capacity.total)));
  const int known = book.next_number() - 1, replicates = book.replicates();
  const int beyond = enqueued_beyond_limit();
  const std::string total = limits.trials ? plural_text(*limits.trials, "trial") : "trials";
  // How many share a GPU by memory is known once they are measured.
  const bool is_as_many_as_fit = parts.spec.resources.packs_gpus && !limits.parallel;
  StatusEvent event;
  event.kind = StatusKind::kStudyStarted;
  event.message =
      known == 0 ? total + ", " +
                       (is_as_many_as_fit ? "as many at once as fit"
                                          : std::to_string(starter.parallel()) + " at once")
                 : "continues: " + std::to_string(finished_of_search() - beyond) + " of " + total + " done" +
                       (beyond > 0 ? ", " + std::to_string(beyond) + " enqueued beyond them" : "") +
                       (replicates > 0 ? ", and " + plural_text(replicates, "replicate") : "");
  record.save(store::StudyState::kRunning, {}, Durability::kProcess, &event);
  if (study.facts.no_pausing) book.give_up_pausing();
  look_at_rungs();
  if (is_held())
    journal.notice("the study is paused by " + *study.facts.held + ": `tune continue " + study.name +
                   "` has it begin trials again");
}

int StudyLoop::Impl::finished_of_search() {
  const auto& trials = book.history().trials;
  return static_cast<int>(std::count_if(trials.begin(), trials.end(), [](const auto& trial) {
    return is_finished(trial->state) && !trial->replicate_of && trial->role != SearchRole::kRepeat;
  }));
}

// Of those that have finished; more than the limit may also be what is left of a higher one.
int StudyLoop::Impl::enqueued_beyond_limit() {
  const int more = limits.trials ? finished_of_search() - static_cast<int>(*limits.trials) : 0;
  if (more <= 0) return 0;
  const std::vector<store::TrialRow> trials = parts.store.trials();
  return std::min(more, static_cast<int>(std::count_if(trials.begin(), trials.end(), [](const auto& trial) {
                    return is_finished(trial.state) && trial.facts.is_enqueued();
                  })));
}

// But for a trial that a person had stopped when its attempt was lost.
void StudyLoop::Impl::run_again(int number) {
  if (!stop_as_asked(number)) queue.add(number);
}

bool StudyLoop::Impl::stop_as_asked(int number) {
  if (study.facts.stop_requests.erase(number) == 0) return false;
  desk.give_up(number, "stopped by a person");
  return true;
}

void StudyLoop::Impl::take_up_old_attempts() {
  std::vector<int> open;
  for (const auto& trial : book.history().trials) {
    if (trial->state == TrialState::kRunning || trial->state == TrialState::kQueued)
      open.push_back(trial->number);
  }
  for (const int number : open) {
    const std::vector<store::AttemptRow> attempts = parts.store.attempts(number);
    if (attempts.empty() || !is_live(attempts.back().state)) {
      run_again(number);
    } else {
      const AttemptId id{number, attempts.back().attempt};
      unrecorded.insert(id);
      guard.on_start(number, desk.running() + 1);
      if (const auto end = desk.adopt(attempts.back(), last_alive)) on_end(*end);
      unrecorded.erase(id);
    }
  }
}

StudyResult StudyLoop::Impl::run() {
  try {
    announce();
    take_up_old_attempts();
    read_inbox();
    look_at_neighbours();
    while (true) {
      if (interrupted()) return is_left() ? leave() : drain();
      if (out_of_time()) return end_by_limit(store::StudyEnd::kTimeLimit);
      if (has_spent_all()) return end_by_limit(spending.reason());
      if (completion.reached() == store::StudyEnd::kTarget) {
        if (auto end = end_by_target()) return *std::move(end);
      }
      starter.fill([this] { return may_start(); });
      if (desk.running() == 0) {
        if (const auto end = over(); end && !source.is_busy()) return finish(*end);
        if (is_pausing()) return pause();
        if (!is_held() && !spending.has_room({})) {
          look_at_neighbours();
          if (!spending.has_room({})) return end_by_limit(spending.reason());
        }
      }
      step();
    }
  } catch (const Error& error) {
    const bool store_gave_up = error.code() == ExitCode::kEnvironment || error.code() == ExitCode::kConflict;
    StudyResult abandoned = abandon();
    if (store_gave_up && interrupted()) return abandoned;
    throw;
  } catch (...) {
    abandon();
    throw;
  }
}

// Trials that were started like those which gave nothing will hardly give more.
void StudyLoop::Impl::drain_silent_trials() {
  if (std::exchange(is_drained, true) || desk.running() == 0) return;
  journal.notice(guard.verdict()->reason +
                 ": running trials without a metric are stopped, and run again later");
  desk.stop_silent(StopReason::kDrain, grace);
}

RunnerEvent StudyLoop::Impl::next_event(SteadyTime deadline) {
  if (postponed.empty()) return parts.runner.wait(deadline);
  const RunnerEvent event = postponed.front();
  postponed.pop_front();
  return event;
}

void StudyLoop::Impl::step() {
  const SteadyTime now = parts.clock.steady_now();
  SteadyTime deadline = last_tick + kTick;
  if (const auto due = desk.read_due(now)) deadline = std::min(deadline, *due);
  if (limits.time && !out_of_time()) deadline = std::min(deadline, now + (*limits.time - record.elapsed()));
  handle(next_event(std::max(deadline, now)));
  give_up_pausing(desk.pausing_trouble());
  keep_house(parts.clock.steady_now());
}

void StudyLoop::Impl::handle(const RunnerEvent& event) {
  listen(event);
  if (event.kind == RunnerEventKind::kBegan) desk.on_begin(event.id, event.begin.value());
  if (event.kind == RunnerEventKind::kProgress) desk.on_progress(event.id);
  if (event.kind == RunnerEventKind::kQuiet || event.kind == RunnerEventKind::kNoMetric)
    desk.on_quiet(event.id, event.kind);
  if (event.kind != RunnerEventKind::kExited) return;
  unrecorded.insert(event.id);
  if (const auto end = desk.on_exit(event)) on_end(*end);
  unrecorded.erase(event.id);
}

void StudyLoop::Impl::on_end(const TrialEnd& end) {
  spending.on_end(end.attempt, end.state);
  source.on_end();
  if (!end.fault) starter.on_end();
  give_up_pausing(end.pausing_trouble);
  look_at_rungs();
  if (end.state == TrialState::kQueued) {
    if (end.wait > Milliseconds(0)) queue.hold_back(end.trial, parts.clock.steady_now() + end.wait);
    run_again(end.trial);
    if (end.fault) starter.on_fault(*end.fault);
    return;
  }
  // One that was being paused when this loop's forerunner died takes no stop any more.
  if (end.state == TrialState::kPaused) stop_as_asked(end.trial);
  if (!is_finished(end.state)) return;
  study.facts.stop_requests.erase(end.trial);
  const TrialView& ended = book.trial(end.trial);
  if (!ended.replicate_of && ended.role != SearchRole::kRepeat) completion.on_end(end.state, ended.values);
  if (completion.reached()) journal.notice_once(completion.sentence());
  guard.on_end(PoisonGuard::End::of(end), book.history());
  if (guard.verdict()) drain_silent_trials();
}

// From then on the rule stops trials in place of pausing them.
void StudyLoop::Impl::give_up_pausing(const std::string& why) {
  if (why.empty() || study.facts.no_pausing) return;
  study.facts.no_pausing = why;
  book.give_up_pausing();
  record.save(store::StudyState::kRunning, {});
  journal.notice(why +
                 ": from here on the rule stops trials where it would have paused them. A trainer that "
                 "saves what it needs in $TUNE_CHECKPOINT_DIR, and goes on from there, can be paused");
  std::vector<int> waiting;
  for (const auto& trial : book.history().trials)
    if (trial->state == TrialState::kPaused) waiting.push_back(trial->number);
  for (const int number : waiting) desk.give_up(number, "was paused, and is stopped for good: " + why);
}

// Says where trials are compared, once that is known and when it changes.
void StudyLoop::Impl::look_at_rungs() {
  auto plan = parts.stop_rule.rungs(book.history());
  if (!plan) return;
  store::RungFacts rungs{std::move(plan->steps), plan->full_steps};
  if (study.facts.rungs == rungs) return;
  study.facts.rungs = std::move(rungs);
  record.save(store::StudyState::kRunning, {});
  journal.notice("early stopping: " + plan->text);
}

void StudyLoop::Impl::read_inbox() {
  const auto adapt = [this](const Request& request, const Effect& effect) {
    refuse_old_stop(request, effect, run_began);
  };
  const auto then = [this](const Request& request, const Effect& effect) { take_effect(request, effect); };
  obey_requests(inbox, {{parts.spec, parts.store, parts.clock, journal, study, answers},
                        [this] { return limits; },
                        [this]() -> const History& { return book.history(); },
                        adapt,
                        then});
}

// What is in the store already, for the loop's own memory and for what runs.
void StudyLoop::Impl::take_effect(const Request& request, const Effect& effect) {
  if (effect.limits) set_limits(*effect.limits);
  for (const store::TrialRow& row : effect.enqueued) {
    TrialView view;
    view.number = row.number;
    view.parameters = row.parameters;
    view.state = TrialState::kQueued;
    view.replicate_of = row.facts.replicate_of;
    view.budget = row.budget;
    if (row.facts.rerun_of) view.role = SearchRole::kRepeat;
    book.add(std::move(view));
    queue.add(row.number);
  }
  if (effect.ended) {
    queue.remove(effect.ended->number);
    book.close(effect.ended->number, effect.ended->state, effect.ended->values, {});
  }
  if (effect.to_stop) desk.stop_for_good(*effect.to_stop, "stopped by " + request.who);
  is_told_to_stop = is_told_to_stop || effect.drains;
  if (effect.drains) parts.interruption.count.store(std::max(1, parts.interruption.count.load()));
  source.on_steering();
}

void StudyLoop::Impl::set_limits(const Limits& new_limits) {
  if (new_limits.parallel != limits.parallel && new_limits.parallel) {
    starter.set_parallel(*new_limits.parallel);
    parts.runner.set_parallel(*new_limits.parallel);
    guard.set_parallel(*new_limits.parallel);
  }
  limits = new_limits;
  search_is_stopped = false;
  spending.set_budget(device_budget(limits, parts.spec.usd_per_hour));
  completion.set_limits(limits);
  source.set_limits(limits);
}

void StudyLoop::Impl::keep_house(SteadyTime now) {
  if (now - last_tick < kTick) return;
  // Time in which a person has held the study is not its own.
  if (is_held() && desk.running() == 0) record.pass_over(now - last_tick);
  last_tick = now;
  read_inbox();
  alive.write(parts.clock.wall_now());
  parts.status.on_tick(now);
  for (const std::string& sentence : parts.runner.take_notices()) journal.notice(sentence);
  desk.end_unheard(now);
  if (now - last_housekeeping < kHousekeeping) return;
  last_housekeeping = now;
  database.check_present();
  record.save(store::StudyState::kRunning, {});
  look_at_neighbours();
  if (budget.is_wanted()) budget.look(limits, record.elapsed(), spending.taken_in_all(desk.leases()));
  database.shrink_log(parts.store, [this](const std::string& sentence) { journal.notice_once(sentence); });
}

// A study that shares its GPUs with others shares their bill.
void StudyLoop::Impl::look_at_neighbours() {
  if (!spending.has_budget() || !billing::may_share_gpus(study)) return;
  spending.see_others(billing::attempts_beside(parts.study_folder.parent_path(), study.name,
                                               spending.undecided(desk.leases()), parts.clock.wall_now()));
}

// What neighbours have taken is known by the last look at them, so it takes a fresh one to end a study.
bool StudyLoop::Impl::has_spent_all() {
  if (!spending.has_budget() || !spending.is_spent(desk.leases())) return false;
  look_at_neighbours();
  return spending.is_spent(desk.leases());
}

// Why nothing is left to do; nullopt while there is. Asked when nothing runs.
std::optional<store::StudyEnd> StudyLoop::Impl::over() const {
  if (starter.has_waiting() || source.may_ask()) return std::nullopt;
  return completion.end_of_search(source.may_begin());
}

// Stops every attempt and waits for them. The first signal asks for no more than that, the second kills them,
// and jobs of a cluster that does not answer are not waited for then.
void StudyLoop::Impl::run_down(StopReason reason) {
  desk.stop_all(reason, grace);
  std::optional<SteadyTime> killed;
  while (desk.running() > 0) {
    const SteadyTime now = parts.clock.steady_now();
    if (!killed && parts.interruption.count.load() >= 2) {
      killed = now;
      desk.stop_all(reason, Milliseconds(0));
    }
    // They have been told, and need nobody here to end.
    if (killed && parts.runner.outlives() && now >= *killed + kLastWait)
      return journal.notice(plural_text(desk.running(), "job") +
                            " on the cluster had not ended yet; the same command takes up what is left");
    step();
  }
}

bool StudyLoop::Impl::has_asked_for() const {
  const std::vector<int>& waiting = queue.trials();
  return desk.has_asked_for() || std::any_of(waiting.begin(), waiting.end(), [this](int number) {
           return parts.store.trial(number)->facts.is_asked_for();
         });
}

// What a person has asked for runs to its end, and replicates come after it: the rest of the search is
// stopped.
std::optional<StudyResult> StudyLoop::Impl::end_by_target() {
  if (!parts.spec.replicates && !has_asked_for()) {
    journal.notice_once(completion.sentence());
    stop_for_limit(store::StudyEnd::kTarget);
    // A request may have come meanwhile.
    if (!interrupted() && has_asked_for()) return std::nullopt;
    return end_stopped(store::StudyEnd::kTarget);
  }
  stop_search();
  return std::nullopt;
}

void StudyLoop::Impl::stop_search() {
  if (!std::exchange(search_is_stopped, true)) {
    journal.notice_once(completion.sentence());
    desk.stop_search(StopReason::kTarget, grace);
  }
  // Also what has come back since, from an attempt that was lost.
  const std::vector<int> waiting = queue.trials();
  for (const int number : waiting) {
    const store::TrialFacts facts = parts.store.trial(number)->facts;
    if (facts.replicate_of || facts.is_asked_for()) continue;
    queue.remove(number);
    desk.give_up(number, to_string(store::StudyEnd::kTarget));
  }
}

// What runs goes on, and the next run takes it up.
StudyResult StudyLoop::Impl::leave() {
  if (desk.running() > 0)
    journal.notice("interrupted, and left alone: " + plural_text(desk.running(), "job") +
                   " on the cluster; the same command takes up what runs");
  record.save(store::StudyState::kInterrupted, "interrupted", Durability::kPower);
  return result(Outcome::kInterrupted, "interrupted");
}

StudyResult StudyLoop::Impl::drain() {
  StatusEvent event;
  event.kind = StatusKind::kDraining;
  event.message = "interrupted: waiting for " + plural_text(desk.running(), "trial") + " to save " +
                  (desk.running() == 1 ? "its" : "their") + " state; interrupt again to kill them";
  journal.note(event);
  run_down(StopReason::kDrain);
  record.save(store::StudyState::kInterrupted, "interrupted", Durability::kPower);
  return result(Outcome::kInterrupted, "interrupted");
}

StudyResult StudyLoop::Impl::pause() {
  Pause pause;
  std::string reason;
  if (const auto& trouble = starter.trouble()) {
    reason = trouble->message;
    pause.hint = trouble->hint;
  } else {
    const PoisonGuard::Verdict& verdict = *guard.verdict();
    pause = pause_of(verdict, parts.study_folder, study.name);
    reason = verdict.reason + ": " + parts.store.trial(pause.trial)->reason;
  }
  journal.notice(store::kPausedNotice + reason);
  record.save(store::StudyState::kInterrupted, "paused: " + reason, Durability::kPower);
  StudyResult answer = result(Outcome::kPaused, reason);
  answer.pause = std::move(pause);
  return answer;
}

void StudyLoop::Impl::stop_for_limit(store::StudyEnd limit) {
  if (desk.running() > 0)
    journal.notice((limit == store::StudyEnd::kTarget
                        ? std::string()
                        : std::string("the ") + to_string(limit) + " is reached: ") +
                   "running trials are stopped and keep their values");
  run_down(stop_for(limit));
}

StudyResult StudyLoop::Impl::end_by_limit(store::StudyEnd limit) {
  stop_for_limit(limit);
  return end_stopped(limit);
}

StudyResult StudyLoop::Impl::end_stopped(store::StudyEnd limit) {
  // A person who interrupts this wants to be out, not to wait for a promotion: the next run makes the end.
  if (interrupted()) {
    record.save(store::StudyState::kInterrupted, "interrupted", Durability::kPower);
    return result(Outcome::kInterrupted, "interrupted");
  }
  for (const int number : queue.take_all()) {
    if (parts.store.attempts(number).empty()) continue;  // enqueued: it waits for a higher limit
    desk.give_up(number, to_string(limit));
  }
  return finish(limit);
}

StudyResult StudyLoop::Impl::finish(store::StudyEnd end) {
  const std::string reason = to_string(end);
  database.check_present();  // before the best of it is promoted
  if (parts.spec.replicates)
    if (const std::string said = replicates_result(book.history(), *parts.spec.replicates, reason);
        !said.empty())
      journal.notice(said);
  if (budget.is_wanted()) budget.end(limits, end);
  StatusEvent event;
  event.kind = StatusKind::kStudyFinished;
  event.message = reason;
  record.save(store::StudyState::kFinished, reason, Durability::kPower, &event);
  crash_point("study_finished");
  return result(Outcome::kFinished, reason);
}

// The store cannot be written or the loop is broken: end what runs, record nothing. The next run reads the
// files.
StudyResult StudyLoop::Impl::abandon() {
  if (parts.runner.outlives()) return result(Outcome::kInterrupted, "the store could not be written");
  desk.stop_all(StopReason::kDrain, grace);
  std::set<AttemptId> gone = unrecorded;
  for (const RunnerEvent& event : postponed) {
    if (event.kind == RunnerEventKind::kExited) gone.insert(event.id);
  }
  const SteadyTime deadline = parts.clock.steady_now() + 2 * grace;
  while (static_cast<int>(gone.size()) < desk.running() && parts.clock.steady_now() < deadline) {
    const RunnerEvent event = parts.runner.wait(parts.clock.steady_now() + kTick);
    if (event.kind == RunnerEventKind::kExited) gone.insert(event.id);
    if (parts.interruption.count.load() >= 2) {
      desk.stop_all(StopReason::kDrain, Milliseconds(0));
      break;  // the runner ends what is left of them when it goes
    }
  }
  return result(Outcome::kInterrupted, "interrupted while the store could not be written");
}

StudyResult StudyLoop::Impl::result(Outcome outcome, std::string reason) {
  return result_of(book.history(), outcome, std::move(reason));
}

StudyResult result_of(const History& history, Outcome outcome, std::string reason) {
  StudyResult result{outcome, std::move(reason), 0, 0, 0, std::nullopt};
  for (const auto& trial : history.trials) {
    result.completed += trial->state == TrialState::kCompleted;
    result.stopped += trial->state == TrialState::kStopped;
    result.failed += trial->state == TrialState::kFailed;
  }
  if (const TrialView* best = history.best()) result.best_trial = best->number;
  return result;
}

StudyLoop::StudyLoop(const Parts& parts) : impl_(std::make_unique<Impl>(parts)) {}
StudyLoop::~StudyLoop() = default;
StudyResult StudyLoop::run() { return impl_->run(); }

}  // namespace tune::engine
