#pragma once
// What trials still gain after a step.
#include <map>
#include <vector>

#include "tuner/core/history.h"

namespace tune::strategies {

// A trial that was stopped at step s has the value it had reached then, which cannot be compared with those
// of trials that went on. Its expected end is that value plus the median of what the completed trials, the
// last kMostCurves of them that got beyond s, gained from s to their ends. Refers to the history.
class CurveGain {
 public:
  static constexpr std::size_t kMostCurves = 50;

  explicit CurveGain(const History& history) : history_(history) {}

  // Value at the end less value at `step`, in the metric's own units; 0 where no completed trial has a curve
  // that goes beyond it.
  double after(std::int64_t step);

 private:
  const History& history_;
  std::map<std::int64_t, double> known_;
};

}  // namespace tune::strategies
