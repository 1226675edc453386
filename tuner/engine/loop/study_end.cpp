// How a StudyLoop ends: at a limit, by a person, for want of a working set-up, or because the store gave up.
#include <utility>

#include "tuner/core/plural_text.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/engine/loop/shared_log_end.h"
#include "tuner/engine/loop/study_loop.h"
#include "tuner/os/crash_point.h"

namespace tune::engine {

// Stops every attempt and waits for them. The first signal asks for no more than that, the second kills them.
void StudyLoop::Impl::run_down(const char* stop_reason) {
  desk.stop_all(stop_reason, grace);
  bool killed = false;
  while (desk.running() > 0) {
    if (!killed && parts.interruption.count.load() >= 2) {
      killed = true;
      desk.stop_all(stop_reason, Milliseconds(0));
    }
    step();
  }
}

StudyResult StudyLoop::Impl::drain() {
  StatusEvent event;
  event.kind = StatusKind::kDraining;
  event.message = "interrupted: waiting for " + plural_text(desk.running(), "trial") + " to save " +
                  (desk.running() == 1 ? "its" : "their") + " state; interrupt again to kill them";
  journal.note(event);
  run_down(kStopDrain);
  save_study("interrupted", "interrupted", Durability::kPower);
  return result(Outcome::kInterrupted, "interrupted");
}

StudyResult StudyLoop::Impl::pause() {
  Pause pause;
  std::string reason;
  if (trouble) {
    reason = trouble->message;
    pause.hint = trouble->hint;
  } else {
    const PoisonGuard::Verdict& verdict = *guard.verdict();
    const PoisonGuard::Member& last = verdict.row.back();
    reason = verdict.reason + ": " + parts.store.trial(last.trial)->reason;
    std::vector<std::filesystem::path> folders;
    for (const PoisonGuard::Member& each : verdict.row)
      folders.push_back(attempt_folder(parts.study_folder, {each.trial, each.attempt}));
    pause.log_end = shared_log_end(folders);
    pause.trial = last.trial;
    pause.attempt = last.attempt;
    pause.hint = "mend it, and run the same command again; `tune resume " + study.name +
                 " --retry-failed` also runs the failed trials again";
    if (verdict.is_silent)
      pause.hint += "; where a regex of the spec was wrong, `tune rescan " + study.name +
                    " --spec FILE` reads the logs again with the mended one";
  }
  journal.notice("paused: " + reason);
  save_study("interrupted", "paused: " + reason, Durability::kPower);
  StudyResult answer = result(Outcome::kPaused, reason);
  answer.pause = std::move(pause);
  return answer;
}

StudyResult StudyLoop::Impl::end_by_limit(const char* limit) {
  if (desk.running() > 0)
    journal.notice(std::string("the ") + limit +
                   " is reached: running trials are stopped and keep their values");
  run_down(limit);
  // A person who interrupts this wants to be out, not to wait for a promotion: the next run makes the end.
  if (interrupted()) {
    save_study("interrupted", "interrupted", Durability::kPower);
    return result(Outcome::kInterrupted, "interrupted");
  }
  for (const int number : std::exchange(queue, {})) {
    desk.give_up(number, limit);
    stopped += 1;
  }
  return finish(limit);
}

StudyResult StudyLoop::Impl::finish(const std::string& reason) {
  database.check_present();  // before the best of it is promoted
  StatusEvent event;
  event.kind = StatusKind::kStudyFinished;
  event.message = reason;
  save_study("finished", reason, Durability::kPower, &event);
  crash_point("study_finished");
  return result(Outcome::kFinished, reason);
}

// The store cannot be written or the loop is broken: end what runs, record nothing. The next run reads the
// files.
StudyResult StudyLoop::Impl::abandon() {
  desk.stop_all(kStopDrain, grace);
  std::set<AttemptId> gone = unrecorded;
  for (const RunnerEvent& event : postponed) {
    if (event.kind == RunnerEventKind::kExited) gone.insert(event.id);
  }
  const SteadyTime deadline = parts.clock.steady_now() + 2 * grace;
  while (static_cast<int>(gone.size()) < desk.running() && parts.clock.steady_now() < deadline) {
    const RunnerEvent event = parts.runner.wait(parts.clock.steady_now() + kTick);
    if (event.kind == RunnerEventKind::kExited) gone.insert(event.id);
    if (parts.interruption.count.load() >= 2) {
      desk.stop_all(kStopDrain, Milliseconds(0));
      break;  // the runner ends what is left of them when it goes
    }
  }
  return result(Outcome::kInterrupted, "interrupted while the store could not be written");
}

StudyResult StudyLoop::Impl::result(Outcome outcome, std::string reason) {
  StudyResult answer{outcome, std::move(reason), completed, stopped, failed, std::nullopt};
  if (const TrialView* best = book.history().best()) answer.best_trial = best->number;
  return answer;
}

}  // namespace tune::engine
