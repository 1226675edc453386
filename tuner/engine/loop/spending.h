#pragma once
// The device time that a study has spent, held against its limits in device hours and in dollars.
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <utility>
#include <vector>

#include "store/study_store.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Device time that may be spent, and the reason that the study ends with: limits.gpu_hours, or
// limits.cost_usd at the spec's price, whichever is less. nullopt without either.
struct DeviceBudget {
  double seconds = 0;
  store::StudyEnd reason = store::StudyEnd::kDeviceTimeLimit;
};
std::optional<DeviceBudget> device_budget(const Limits& limits, std::optional<double> usd_per_hour);

// Of an attempt what the bill is made of, and nothing that is dear to copy.
store::AttemptRow bill_item(const store::AttemptRow& attempt);

// Owned by the loop, on its thread. It counts and decides, and neither starts nor stops anything. It counts
// as the bill does (billing::device_shares), failed and repeated attempts too: attempts that share a device
// share its time, those of other studies too. What has ended is added up once; a look goes through the
// attempts that run, and through what has ended since the one before.
class Spending {
 public:
  // Begins with what the store holds; attempts that still run are not counted before their end.
  Spending(std::optional<DeviceBudget> budget, const std::vector<store::TrialRow>& trials,
           const std::vector<store::AttemptRow>& attempts);

  // The device seconds of all that has ended and of what runs.
  double taken_in_all(const std::vector<store::AttemptRow>& running) { return look(running).in_all; }
  bool has_budget() const { return budget_.has_value(); }
  void set_budget(std::optional<DeviceBudget> budget) { budget_ = budget; }

  // An attempt has ended; `state` is its trial's by then.
  void on_end(const store::AttemptRow& attempt, TrialState state);

  // For a study that may share devices with others: what those have on its devices by now
  // (billing::attempts_beside() of undecided()). What ends between two such calls is not added up before the
  // next.
  void see_others(std::vector<store::AttemptRow> others);
  // The attempts that have ended and are not added up yet, and those that run.
  std::vector<store::AttemptRow> undecided(const std::vector<store::AttemptRow>& running) const;

  // Whether another trial would stay within the budget beside those that run, each given with the lease it
  // has had so far. A trial is expected to take as much as the median of those that have completed; before
  // the first has, nothing is known, and there is room until the budget is spent.
  bool has_room(const std::vector<store::AttemptRow>& running);
  // Whether what has ended and what runs have spent it all.
  bool is_spent(const std::vector<store::AttemptRow>& running);
  // Why the study ends when there is no room. Only with a budget.
  store::StudyEnd reason() const;

 private:
  using AttemptKey = std::pair<int, int>;
  // The median of numbers that come one by one.
  class Median {
   public:
    void add(double number);
    double value() const;  // 0 of none

   private:
    std::priority_queue<double> low_;
    std::priority_queue<double, std::vector<double>, std::greater<>> high_;
  };
  // What has been taken of devices, with what runs now.
  struct Taken {
    double in_all = 0;
    double expected = 0;  // of a trial; 0 while nothing is known
    std::vector<double> running;
  };
  Taken look(const std::vector<store::AttemptRow>& running);
  void settle(const std::vector<store::AttemptRow>& running);
  double away_before(const store::AttemptRow& attempt) const;

  std::optional<DeviceBudget> budget_;
  std::vector<store::AttemptRow> ended_;         // and not settled
  std::set<int> completed_;                      // trials
  std::vector<store::AttemptRow> others_;        // of other studies
  bool has_neighbours_ = false, is_due_ = true;  // to be settled
  // Until then everything is added up: what running attempts had to give up is in away_.
  std::chrono::microseconds settled_until_ = std::chrono::microseconds::min();
  std::map<AttemptKey, double> away_;
  std::map<int, double> by_trial_;  // what its settled attempts took
  double settled_ = 0;
  Median whole_;  // of completed trials
};

}  // namespace tune::engine
