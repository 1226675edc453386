#pragma once
// How often the scheduler is asked.
#include <algorithm>

#include "tuner/core/clock.h"

namespace tune::engine {

// 5 s after something was odd, then twice as long each time, up to a minute: Slurm's manual warns of squeue
// in loops, and sites ask for a minute and more. Owned by the runner, on its thread.
class QueryPace {
 public:
  static constexpr Milliseconds kQuick{5'000}, kSlow{60'000};

  explicit QueryPace(SteadyTime now) : next_(now + kQuick) {}
  bool is_due(SteadyTime now) const { return now >= next_; }
  SteadyTime next() const { return next_; }
  // A query has been answered, or not.
  void on_answer(SteadyTime now) {
    interval_ = std::min(2 * interval_, kSlow);
    next_ = now + interval_;
  }
  // Something is not as the files lead to expect: the next query comes soon.
  void hurry(SteadyTime now) {
    interval_ = kQuick;
    next_ = std::min(next_, std::max(now, last_ + kQuick));
  }
  void on_query(SteadyTime now) { last_ = now, next_ = SteadyTime::max(); }

 private:
  Milliseconds interval_ = kQuick;
  SteadyTime next_, last_{};
};

}  // namespace tune::engine
