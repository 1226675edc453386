#pragma once
// Follows the metrics of running trials: reads what they have printed, keeps it, and lets the stop rule
// judge.
#include <set>
#include <string>
#include <utility>

#include "tuner/engine/loop/desk_parts.h"
#include "tuner/engine/loop/running_trial.h"

namespace tune::engine {

// Metrics are read this often at most, so that a flood costs few transactions and a short trial a single one.
inline constexpr Milliseconds kReadInterval{50};

// Owned by the desk, on the loop's thread. It starts and ends nothing but by the rule's verdict.
class MetricFollower {
 public:
  explicit MetricFollower(const DeskParts& parts) : parts_(parts) {}

  // All that is new.
  void read(RunningTrial& running);
  // All but the last piece of what is new, which is given back: its transaction is the attempt's last.
  MetricTail read_to_last_piece(RunningTrial& running);
  // A piece into memory, where the rule judges each point of the objective; into the store; and what of it
  // was said, once that is committed.
  void take_in(RunningTrial& running, const MetricTail& tail);
  void write(Journal::Entry& entry, const RunningTrial& running, const MetricTail& tail) const;
  void remember(const MetricTail& tail);
  // Says, once a study, that all values of an attempt which `lasted` so long came at its end.
  void warn_of_late_output(const RunningTrial& running, Milliseconds lasted);

 private:
  void take_piece(RunningTrial& running, const MetricTail& tail);
  void time_steps(RunningTrial& running, const MetricRecord& record) const;
  void look_for_new_beginning(RunningTrial& running, std::int64_t first_step) const;
  void judge(RunningTrial& running);
  void write_notice(Journal::Entry& entry, const RunningTrial& running, const MetricNotice& notice) const;
  bool was_said(const MetricNotice& notice) const;

  const DeskParts& parts_;
  std::set<std::pair<std::string, std::string>> said_;  // notices: the metric, and what about it
};

}  // namespace tune::engine
