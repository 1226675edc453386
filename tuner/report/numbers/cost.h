#pragma once
// What trials cost: lease time -> device hours -> dollars.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "store/study_store.h"

namespace tune::report {

// Device time and its price. A lease of n devices for an hour is n device hours; without devices (the CPU) it
// is one. Attempts that shared a device share its time (billing::device_shares).
struct Cost {
  double lease_seconds = 0;  // wall time of the leases, shared or not
  double device_hours = 0;
  std::optional<double> usd;  // absent without a price
  Cost& operator+=(const Cost& other);
};

struct TrialCost {
  Cost total;
  Cost retried;  // of it, spent on attempts that were run again
};

// The price in force, `cost.usd_per_hour` of the spec: dollars for one device for one hour.
std::optional<double> usd_per_hour(const store::StudyRow& study);

// Gives the attempts that run at this moment the time that their leases have lasted so far.
void bill_running(store::AttemptRow& attempt, WallTime now);
void bill_running(std::vector<store::AttemptRow>& attempts, WallTime now);

// Device time at a price.
Cost priced(double lease_seconds, double device_seconds, std::optional<double> usd_per_hour);

// What attempts have cost, summed by trial and by state. A value, computed once from stored rows: all
// attempts of the study, and those of `others` on its devices, since those that shared a device share its
// time.
class CostReport {
 public:
  CostReport(const std::vector<store::TrialRow>& trials, const std::vector<store::AttemptRow>& attempts,
             std::optional<double> usd_per_hour, const std::vector<store::AttemptRow>& others = {});
  TrialCost of(int trial) const;          // zero for a trial without attempts
  Cost of(int trial, int attempt) const;  // zero without it
  const Cost& total() const { return total_; }
  // By the state of the trial: what completed, stopped, failed ones cost, retries included. What is left of a
  // deleted one is no stopped trial.
  Cost of(TrialState state) const;
  const Cost& deleted() const { return deleted_; }
  // The part of the total that went into attempts which another one followed, but for those that were paused:
  // the next one goes on where they were.
  const Cost& retried() const { return retried_; }

 private:
  Cost zero_;
  std::map<int, TrialCost> by_trial_;
  std::map<std::pair<int, int>, Cost> by_attempt_;
  std::map<TrialState, Cost> by_state_;
  Cost total_, retried_, deleted_;
};

}  // namespace tune::report
