#pragma once
// Trials that wait to be started: those that run again, and those that a person has enqueued.
#include <map>
#include <optional>
#include <vector>

#include "tuner/core/clock.h"

namespace tune::engine {

// Owned by the loop, on its thread. In the order in which they came; one that is not due yet lets others
// pass. It starts nothing, and is forgotten with the run: the next one finds the trials in the store.
class StartQueue {
 public:
  void add(int trial) { trials_.push_back(trial); }
  // Of a trial that is added or not: it is not due before.
  void hold_back(int trial, SteadyTime until) { not_before_[trial] = until; }
  void remove(int trial);

  bool empty() const { return trials_.empty(); }
  const std::vector<int>& trials() const { return trials_; }
  // The first that may start now.
  std::optional<int> due(SteadyTime now) const;
  // All of them; none is left.
  std::vector<int> take_all();

 private:
  std::vector<int> trials_;
  std::map<int, SteadyTime> not_before_;
};

}  // namespace tune::engine
