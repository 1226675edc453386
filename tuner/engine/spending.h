#pragma once
// The device time that a study has spent, held against its limits in device hours and in dollars.
#include <map>
#include <optional>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/spec.h"

namespace tune::engine {

// Device time that may be spent, and the reason that the study ends with: limits.gpu_hours, or
// limits.cost_usd at the spec's price, whichever is less. nullopt without either.
struct DeviceBudget {
  double seconds = 0;
  const char* reason = "";
};
std::optional<DeviceBudget> device_budget(const Limits& limits, std::optional<double> usd_per_hour);

// Owned by the loop, on its thread. It counts and decides, and neither starts nor stops anything. A lease of
// n devices for a second is n seconds, without devices (the CPU) one, in failed and repeated attempts too.
class Spending {
 public:
  // Of what the store holds; attempts that still run are not counted before their end.
  Spending(std::optional<DeviceBudget> budget, const std::vector<store::TrialRow>& trials,
           const std::vector<store::AttemptRow>& attempts);

  // An attempt of the trial has ended; `state` is the trial's by then.
  void on_end(int trial, TrialState state, double device_seconds);

  // Whether another trial would stay within the budget beside those that run, given what each of these has
  // taken so far. A trial is expected to take as long as the median of those that have completed; before the
  // first has, nothing is known, and there is room until the budget is spent.
  bool has_room(const std::vector<double>& running) const;
  // Whether what has ended and what runs have spent it all.
  bool is_spent(const std::vector<double>& running) const;
  // Why the study ends when there is no room. Only with a budget.
  const char* reason() const;

 private:
  double expected() const;

  std::optional<DeviceBudget> budget_;
  double ended_ = 0;
  std::map<int, double> by_trial_;
  std::vector<double> completed_;  // ascending
};

}  // namespace tune::engine
