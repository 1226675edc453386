#pragma once
// The device time that a study has spent, held against its limits in device hours and in dollars.
#include <optional>
#include <set>
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

// How many whole trainings the device time of an ended study would have paid for, at what its completed
// trials took on average: what another way to spend that time may have. At most as many as the study had
// trials, and that many where none completed.
int whole_trainings(const std::vector<store::TrialRow>& trials,
                    const std::vector<store::AttemptRow>& attempts);

// Owned by the loop, on its thread. It counts and decides, and neither starts nor stops anything. It counts
// as the bill does (store::device_shares), failed and repeated attempts too: attempts that share a device
// share its time.
class Spending {
 public:
  // Of what the store holds; attempts that still run are not counted before their end.
  Spending(std::optional<DeviceBudget> budget, const std::vector<store::TrialRow>& trials,
           const std::vector<store::AttemptRow>& attempts);

  // An attempt has ended; `state` is its trial's by then.
  void on_end(const store::AttemptRow& attempt, TrialState state);

  // Whether another trial would stay within the budget beside those that run, each given with the lease it
  // has had so far. A trial is expected to take as much as the median of those that have completed; before
  // the first has, nothing is known, and there is room until the budget is spent.
  bool has_room(const std::vector<store::AttemptRow>& running) const;
  // Whether what has ended and what runs have spent it all.
  bool is_spent(const std::vector<store::AttemptRow>& running) const;
  // Why the study ends when there is no room. Only with a budget.
  const char* reason() const;

 private:
  // What has been taken of devices, with what runs now.
  struct Taken {
    double in_all = 0;
    double expected = 0;  // of a trial; 0 while nothing is known
    std::vector<double> running;
  };
  Taken taken(const std::vector<store::AttemptRow>& running) const;

  std::optional<DeviceBudget> budget_;
  std::vector<store::AttemptRow> ended_;
  std::set<int> completed_;  // trials
};

}  // namespace tune::engine
