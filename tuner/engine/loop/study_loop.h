#pragma once
// What a StudyLoop is made of. Internal to the engine: engine.cpp runs it, study_end.cpp ends it.
#include <deque>
#include <set>
#include <string>

#include "tuner/engine/loop/alive_file.h"
#include "tuner/engine/loop/database_file.h"
#include "tuner/engine/loop/engine.h"
#include "tuner/engine/loop/history_book.h"
#include "tuner/engine/loop/journal.h"
#include "tuner/engine/loop/poison_guard.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/loop/suggester.h"
#include "tuner/engine/loop/trial_desk.h"

namespace tune::engine {

inline constexpr Milliseconds kTick{250};  // live displays

struct StudyLoop::Impl {
  explicit Impl(const Parts& given);
  StudyResult run();

  Parts parts;
  const DatabaseFile database;
  AliveFile alive;
  store::StudyRow study;
  Journal journal;
  HistoryBook book;
  TrialDesk desk;
  Suggester suggester;
  PoisonGuard guard;
  Spending spending;

  std::deque<int> queue;              // trials that run again
  std::deque<RunnerEvent> postponed;  // events that came while the store could not be written
  std::set<AttemptId> unrecorded;     // that have ended, and whose end is not in the store
  std::set<std::string> seen_notices;
  int parallel = 1;
  std::optional<Fault> trouble;  // why nothing is started any more in this run
  int lacks = 0;                 // tries in a row to start an attempt for which something was lacking
  bool is_drained = false;       // what had given no metric when the guard spoke
  bool log_is_endless = false, said_endless_log = false;
  bool strategy_waits = false, strategy_exhausted = false, ended_since_question = false;
  int completed = 0, stopped = 0, failed = 0;
  SteadyTime begin, last_tick, last_housekeeping, retry_at;
  double elapsed_before = 0;
  WallTime last_alive;  // when the run before this one last lived, as far as is known
  const Milliseconds grace = StudyFrame::kGrace;

  bool interrupted() const { return parts.interruption.count.load() > 0; }
  Milliseconds elapsed() const;
  bool out_of_time() const { return parts.spec.limits.time && elapsed() >= *parts.spec.limits.time; }
  bool wait_for_store();
  void announce();
  void take_up_old_attempts();
  void fill_slots();
  bool has_slot();
  bool is_pausing() const { return trouble || guard.verdict(); }
  void on_fault(const Fault& fault);
  void drain_silent_trials();
  void notice_once(const std::string& message);
  bool may_ask() const;
  void accept(Suggested suggested);
  RunnerEvent next_event(SteadyTime deadline);
  void step();
  void handle(const RunnerEvent& event);
  void listen(const RunnerEvent& event);
  void on_end(const TrialEnd& end);
  void keep_house(SteadyTime now);
  void look_at_neighbours();
  bool has_spent_all();
  void shrink_wal();
  void say_endless_log();
  void save_study(const std::string& state, const std::string& reason,
                  Durability durability = Durability::kProcess, const StatusEvent* event = nullptr);
  std::string over() const;
  void run_down(const char* stop_reason);
  StudyResult drain();
  StudyResult pause();
  StudyResult end_by_limit(const char* limit);
  StudyResult finish(const std::string& reason);
  StudyResult abandon();
  StudyResult result(Outcome outcome, std::string reason);
};

}  // namespace tune::engine
