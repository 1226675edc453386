// How a StudyLoop ends: at a limit, by a person, or because the store gave up.
#include <utility>

#include "tuner/engine/crash_point.h"
#include "tuner/engine/study_loop.h"

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
  event.message = "interrupted: waiting for " + std::to_string(desk.running()) +
                  " trials to save their state; interrupt again to kill them";
  journal.note(event);
  run_down(kStopDrain);
  save_study("interrupted", "interrupted", Durability::kPower);
  return result(Outcome::kInterrupted, "interrupted");
}

StudyResult StudyLoop::Impl::end_by_limit(const char* limit) {
  if (desk.running() > 0)
    journal.notice(std::string("the ") + limit +
                   " is reached: running trials are stopped and keep their values");
  run_down(limit);
  // Whoever interrupts this wants to be out, not to wait for a promotion: the next run makes the end.
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
