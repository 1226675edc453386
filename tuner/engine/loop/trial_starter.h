#pragma once
// Fills free slots: with trials that wait to be started, and with new ones.
#include <functional>
#include <optional>

#include "tuner/core/clock.h"
#include "tuner/engine/attempt/fault.h"
#include "tuner/engine/attempt/trial_runner.h"
#include "tuner/engine/loop/completion.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/poison_guard.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/loop/start_gate.h"
#include "tuner/engine/loop/start_queue.h"
#include "tuner/engine/loop/study_record.h"
#include "tuner/engine/loop/suggestion_source.h"
#include "tuner/engine/loop/trial_desk.h"

namespace tune::engine {

// Owned by the loop, on its thread, with parts that live as long. What waits comes before what is suggested.
// It starts through the desk, ends nothing, and knows no reason to stop but a lack of slots, of room and of
// money, and what keeps attempts from being started.
class TrialStarter {
 public:
  struct Parts {
    const Spec& spec;
    TrialRunner& runner;
    const Clock& clock;
    Journal& journal;
    StudyRecord& record;
    HistoryBook& book;
    TrialDesk& desk;
    SuggestionSource& source;
    const Completion& completion;
    Spending& spending;
    PoisonGuard& guard;
    Milliseconds patience;  // with the strategy (StudyLoop::Parts)
  };
  explicit TrialStarter(const Parts& parts) : parts_(parts), gate_(parts.clock) {}

  int parallel() const { return parallel_; }
  void set_parallel(int parallel) { parallel_ = parallel; }
  // Starts what there is room for while `may_go_on`, which is asked before each.
  void fill(const std::function<bool()>& may_go_on);

  StartQueue& queue() { return queue_; }
  // Whether a trial waits to be started.
  bool has_waiting() const { return !queue_.empty() || roomless_; }
  // An attempt did not start, or ended by no fault of its trial, which is queued.
  void on_fault(const Fault& fault);
  // An attempt has ended that had been started.
  void on_end() { gate_.on_end(); }
  // Why nothing is started any more in this run.
  const std::optional<Fault>& trouble() const { return gate_.trouble(); }

 private:
  bool has_slot();
  bool has_budget_left() const;
  bool start_again(int number);
  std::optional<strategies::Suggestion> next_new();
  void start(const strategies::Suggestion& suggestion);
  void note_search_end(const strategies::Suggestion& suggestion);

  const Parts parts_;
  StartGate gate_;
  StartQueue queue_;
  std::optional<strategies::Suggestion> roomless_;  // waits for room on a GPU
  int parallel_ = 1;
};

}  // namespace tune::engine
