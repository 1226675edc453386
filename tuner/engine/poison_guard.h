#pragma once
// Ends a study whose every trial fails at once for the same reason, instead of failing all of them.
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/core/history.h"

namespace tune::engine {

// Counts identical early failures in a row. Owned by the loop, on its thread; counts start at zero with each
// run, so that `resume` after a repair tries again; a success of an earlier run still counts.
class PoisonGuard {
 public:
  // `parallel`: trials at once; a slot's worth of bad luck must not end a study. `ever_succeeded`: a trial of
  // an earlier run has.
  explicit PoisonGuard(int parallel, bool ever_succeeded = false)
      : limit_(parallel * 2 > 5 ? parallel * 2 : 5), ever_succeeded_(ever_succeeded) {}
  // A trial ended. `lasted` is how long its last attempt ran.
  void on_end(TrialState state, const std::string& failure, Milliseconds lasted);
  // Why nothing more should be started, without the trials' own reasons; nullopt while there is hope.
  std::optional<std::string> verdict() const;

 private:
  int limit_;
  bool ever_succeeded_;
  int in_a_row_ = 0;
  std::string failure_;
};

}  // namespace tune::engine
