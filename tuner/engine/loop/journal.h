#pragma once
// The loop's way of writing to the store: state and events in one transaction, patience when the disk is
// full.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/engine/loop/status.h"

namespace tune::engine {

// Owned by the loop, on its thread. Keeps no state of the study: memory is changed by the caller, after
// commit() returned.
class Journal {
 public:
  // `pause` is called after a write failed for a reason that may pass (disk full, file locked): it waits a
  // moment, and answers false when nobody wants to wait any longer.
  Journal(store::StudyStore& store, const Clock& clock, Status& status, std::function<bool()> pause);

  // Gathers the events of one transaction.
  class Entry {
   public:
    store::StudyStore& store() { return store_; }
    void event(StatusEvent event);          // its time and id are filled in
    void record(const StatusEvent& event);  // for the store alone: the display is not told

   private:
    friend class Journal;
    std::int64_t append(const StatusEvent& event);
    Entry(store::StudyStore& store, WallTime now) : store_(store), now_(now) {}
    store::StudyStore& store_;
    WallTime now_;
    std::vector<StatusEvent> events_;
  };

  // Runs `write` in one transaction, again and again while the disk is full; then tells the status display of
  // its events. `write` must be repeatable. Rethrows the store's error when `pause` gave up. With kPower this
  // commit, and with it every earlier one, survives a power cut.
  void commit(const std::function<void(Entry&)>& write, Durability durability = Durability::kProcess);
  // The same patience for another write to the store's disk, which failed for `error`: says so, and waits a
  // moment. False when nobody wants to wait any longer.
  bool wait_after(const Error& error);
  // An event by itself.
  void note(StatusEvent event);
  void notice(const std::string& message, int trial = 0, int attempt = 0);
  // The same, but for what this run has said before.
  void notice_once(const std::string& message);

 private:
  void report_trouble(const Error& error);

  store::StudyStore& store_;
  const Clock& clock_;
  Status& status_;
  std::function<bool()> pause_;
  std::set<std::string> said_once_;
  std::string trouble_;  // the last one shown; empty when writing works
};

}  // namespace tune::engine
