#include "tuner/report/numbers/bill.h"

#include <algorithm>

#include "tuner/billing/device_shares.h"
#include "tuner/core/slurm_boot.h"

namespace tune::report {
namespace {

using billing::LeaseTime;
using std::chrono::microseconds;

double in_seconds(microseconds time) { return std::chrono::duration<double>(time).count(); }

// The length of the union.
microseconds covered(std::vector<LeaseTime> leases) {
  std::sort(leases.begin(), leases.end(),
            [](const LeaseTime& a, const LeaseTime& b) { return a.begin < b.begin; });
  microseconds sum{0}, until{0};
  for (const LeaseTime& lease : leases) {
    sum += std::max(microseconds(0), lease.end - std::max(lease.begin, until));
    until = std::max(until, lease.end);
  }
  return sum;
}

std::size_t most_at_once(const std::vector<LeaseTime>& leases) {
  std::vector<std::pair<microseconds, int>> boundaries;
  for (const LeaseTime& lease : leases) {
    boundaries.emplace_back(lease.begin, +1);
    boundaries.emplace_back(lease.end, -1);
  }
  std::sort(boundaries.begin(), boundaries.end());  // at one moment ends come first
  int present = 0, most = 0;
  for (const auto& [time, change] : boundaries) most = std::max(most, present += change);
  return static_cast<std::size_t>(most);
}

// What was idle during one run of the study, from `begin` to `end` or to the end of the last lease.
double idle_in(microseconds begin, microseconds end, const std::vector<store::AttemptRow>& attempts,
               const std::vector<store::AttemptRow>& others) {
  std::map<std::string, std::vector<LeaseTime>> by_device;
  std::vector<LeaseTime> on_cpu;
  for (const store::AttemptRow& attempt : attempts) {
    const LeaseTime lease = billing::lease_time(attempt);
    const LeaseTime within{std::max(begin, lease.begin), std::max(begin, lease.end)};
    end = std::max(end, within.end);
    for (const std::string& device : attempt.devices) by_device[device].push_back(within);
    if (attempt.devices.empty()) on_cpu.push_back(within);
  }
  for (const store::AttemptRow& other : others) {
    const LeaseTime lease = billing::lease_time(other);
    for (const std::string& device : other.devices)
      if (const auto own = by_device.find(device); own != by_device.end())
        own->second.push_back({std::clamp(lease.begin, begin, end), std::clamp(lease.end, begin, end)});
  }
  microseconds idle{0};
  for (const auto& [device, leases] : by_device) idle += end - begin - covered(leases);
  idle += (end - begin) * static_cast<std::int64_t>(most_at_once(on_cpu));
  for (const LeaseTime& lease : on_cpu) idle -= lease.end - lease.begin;
  return in_seconds(idle);
}

Cost validating_cost(const StudyRows& rows, const CostReport& costs, std::optional<double> price) {
  Cost sum = priced(0, 0, price);
  for (const store::AttemptRow& attempt : rows.attempts) {
    const auto known = rows.validation_seconds.find({attempt.trial, attempt.attempt});
    if (known == rows.validation_seconds.end() || attempt.lease_seconds <= 0) continue;
    // A trainer may say what it likes; more than the lease it was not.
    const double seconds = std::clamp(known->second, 0.0, attempt.lease_seconds);
    const double taken = costs.of(attempt.trial, attempt.attempt).device_hours * 3600;
    sum += priced(seconds, taken * seconds / attempt.lease_seconds, price);
  }
  return sum;
}

}  // namespace

double idle_seconds(const std::vector<store::RunningTime>& running_times,
                    const std::vector<store::AttemptRow>& attempts,
                    const std::vector<store::AttemptRow>& others) {
  double idle = 0;
  for (std::size_t i = 0; i < running_times.size(); ++i) {
    std::vector<store::AttemptRow> of_run;
    for (const store::AttemptRow& attempt : attempts) {
      const WallTime began = attempt.started.value_or(attempt.created);
      const bool in_later = i + 1 < running_times.size() && began >= running_times[i + 1].begin;
      if (began >= running_times[i].begin && !in_later && attempt.lease_seconds > 0 &&
          attempt.boot_id != kSlurmBoot)
        of_run.push_back(attempt);
    }
    idle += idle_in(running_times[i].begin.time_since_epoch(), running_times[i].end.time_since_epoch(),
                    of_run, others);
  }
  return idle;
}

StudyBill study_bill(const StudyRows& rows) {
  const std::optional<double> price = usd_per_hour(rows.study);
  const CostReport costs = costs_of(rows);
  const double probing = billing::probing_seconds(rows.study.facts.probes),
               idle = idle_seconds(rows.running_times, rows.attempts, rows.neighbours);
  Cost open = costs.of(TrialState::kQueued);
  open += costs.of(TrialState::kRunning);
  return {costs.total(),
          costs.of(TrialState::kCompleted),
          costs.of(TrialState::kStopped),
          costs.of(TrialState::kFailed),
          costs.of(TrialState::kPaused),
          open,
          costs.deleted(),
          costs.retried(),
          validating_cost(rows, costs, price),
          priced(probing, probing, price),
          priced(idle, idle, price)};
}

}  // namespace tune::report
