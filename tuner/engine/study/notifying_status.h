#pragma once
// Tells the commands of a spec's `notify` what a study tells its display.
#include <deque>
#include <set>
#include <string>
#include <utility>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/status.h"
#include "tuner/engine/study/notifier.h"

namespace tune::engine {

// The display of a run, and beside it the run's notifier. Each notice is recorded (an event "notification" of
// the state "begun") before a command is told, so that none is told twice, whatever kills the process; what
// became of it is recorded behind that. A command that fails is said once a run and command. Owned by who
// runs the study, on the loop's thread; nothing here waits for a command but finish().
class NotifyingStatus final : public Status {
 public:
  NotifyingStatus(Status& display, store::StudyStore& store, const Clock& clock, Notifier& notifier);

  void on_event(const StatusEvent& event) override;
  void on_tick(SteadyTime now) override;

  // The run is about to end: told once for each key.
  void tell_end(const Notice& notice);
  // Tells what is left, and waits until every command has ended.
  void finish();

 private:
  Notice notice_of(NotifyOn on, const StatusEvent& event) const;
  void record(const std::string& key, NotifyOn on, const char* state, const std::string& message);
  void tell_waiting();
  void take_told();

  Status& display_;
  store::StudyStore& store_;
  const Clock& clock_;
  Notifier& notifier_;
  Journal journal_;
  std::deque<std::pair<NotifyOn, StatusEvent>> events_;  // to be told of
  std::deque<Delivery> told_;                            // to be recorded
  std::set<std::size_t> failed_;                         // commands of which that was said
};

}  // namespace tune::engine
