#pragma once
// Pauses a study whose set-up is broken, instead of failing all of its trials.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/history.h"
#include "tuner/engine/loop/attempt_closer.h"

namespace tune::engine {

// A set-up looks broken when trials that were started one after another
// - all failed within ten seconds in the same way (same exit code or signal, same last line of the log): five
//   of them, or as many as run at once; or
// - all ended without any metric, or with exit code 0 and without one of the objective, however long they
//   took: three (five where all failed within ten seconds, in ways that differ), or as many as run at once.
// Once other trials have worked, part of the space may just not work, so more is asked for: so many that
// chance would hardly put them in a row at the rate at which trials have failed so far, and five times as
// many when one parameter tells those that failed from those that worked (a batch size beyond all that
// worked, an optimizer that none of them had). Trials that worked before the row count for nothing against
// it.
//
// Owned by the loop, on its thread. The row begins anew with each run, so that `resume` after a repair tries
// again; what earlier runs achieved is in the history.
class PoisonGuard {
 public:
  struct End {
    int trial = 0, attempt = 0;
    TrialState state = TrialState::kFailed;
    std::string way;  // masked(): of a failure
    Milliseconds lasted{0};
    bool has_metrics = false;
    bool exited_well = false;  // with exit code 0
    bool lacks_objective =
        false;  // exited well, and nothing gave the objective, whatever other metrics there are

    static End of(const TrialEnd& end);
  };
  struct Member {
    int trial = 0, attempt = 0;
  };
  struct Verdict {
    std::string reason;       // without the trials' own
    std::vector<Member> row;  // in the order of their start
    bool is_silent = false;   // no metric, or none of the objective, rather than a crash
  };

  // So many run now, this one among them: what could run by the limits and the machine says less.
  void on_start(int trial, int running);
  // No more than that run at once from now on.
  void set_parallel(int parallel) { at_once_ = std::min(at_once_, parallel); }
  // A trial has ended, and is so in `history`.
  void on_end(const End& end, const History& history);
  // Why nothing more should be started; nullopt while there is hope.
  const std::optional<Verdict>& verdict() const { return verdict_; }

 private:
  enum class Kind { kWorked, kAtOnce, kSilent, kOther };
  struct Ended {
    Member member;
    Kind kind = Kind::kWorked;
    bool has_metrics = false;
    std::string way;
  };
  static Kind kind_of(const End& end);
  std::vector<const Ended*> row_at_once() const;
  std::vector<const Ended*> row_without_metric() const;
  static int least_without_metric(const std::vector<const Ended*>& row);
  bool is_long_enough(const std::vector<const Ended*>& row, int least, const History& history) const;

  int at_once_ = 1;  // most trials that have run at once
  std::int64_t starts_ = 0;
  std::map<int, std::int64_t> started_;  // trials that run, and when they were started
  std::map<std::int64_t, Ended> ended_;  // by their start
  std::optional<Verdict> verdict_;
};

}  // namespace tune::engine
