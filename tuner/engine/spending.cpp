#include "tuner/engine/spending.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "store/device_shares.h"
#include "tuner/core/error.h"
#include "tuner/engine/outcome.h"

namespace tune::engine {
namespace {

constexpr double kSecondsPerHour = 3600;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// What the bill is made of, and nothing that is dear to copy.
store::AttemptRow bare(const store::AttemptRow& attempt) {
  store::AttemptRow row;
  row.trial = attempt.trial;
  row.devices = attempt.devices;
  row.lease_seconds = attempt.lease_seconds;
  row.created = attempt.created;
  row.started = attempt.started;
  row.ended = attempt.ended;
  return row;
}

}  // namespace

std::optional<DeviceBudget> device_budget(const Limits& limits, std::optional<double> usd_per_hour) {
  std::optional<DeviceBudget> budget;
  if (limits.gpu_hours) budget = {*limits.gpu_hours * kSecondsPerHour, kStopDeviceTime};
  // What costs nothing is never too dear.
  if (!limits.cost_usd || usd_per_hour.value_or(0) <= 0) return budget;
  const double affordable = *limits.cost_usd / *usd_per_hour * kSecondsPerHour;
  if (!budget || affordable < budget->seconds) budget = {affordable, kStopCost};
  return budget;
}

int whole_trainings(const std::vector<store::TrialRow>& trials,
                    const std::vector<store::AttemptRow>& attempts) {
  const std::vector<double> shares = store::device_shares(attempts);
  std::map<int, double> by_trial;
  double all = 0, completed = 0;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    by_trial[attempts[i].trial] += shares[i];
    all += shares[i];
  }
  int count = 0;
  for (const store::TrialRow& trial : trials) {
    if (trial.state != TrialState::kCompleted) continue;
    completed += by_trial[trial.number];
    ++count;
  }
  const auto most = static_cast<double>(trials.size());
  if (completed <= 0) return static_cast<int>(trials.size());
  return static_cast<int>(std::min(most, std::ceil(all / completed * count)));
}

Spending::Spending(std::optional<DeviceBudget> budget, const std::vector<store::TrialRow>& trials,
                   const std::vector<store::AttemptRow>& attempts)
    : budget_(budget) {
  for (const store::AttemptRow& attempt : attempts)
    if (attempt.ended) ended_.push_back(bare(attempt));
  for (const store::TrialRow& trial : trials)
    if (trial.state == TrialState::kCompleted) completed_.insert(trial.number);
}

void Spending::on_end(const store::AttemptRow& attempt, TrialState state) {
  ended_.push_back(bare(attempt));
  if (state == TrialState::kCompleted) completed_.insert(attempt.trial);
}

// From the beginning each time: what an attempt took changes as long as another one runs beside it.
Spending::Taken Spending::taken(const std::vector<store::AttemptRow>& running) const {
  std::vector<store::AttemptRow> attempts = ended_;
  attempts.insert(attempts.end(), running.begin(), running.end());
  const std::vector<double> shares = store::device_shares(attempts);
  Taken taken;
  std::map<int, double> by_trial;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    taken.in_all += shares[i];
    if (i >= ended_.size())
      taken.running.push_back(shares[i]);
    else if (completed_.contains(attempts[i].trial))
      by_trial[attempts[i].trial] += shares[i];
  }
  std::vector<double> whole;
  for (const auto& [trial, seconds] : by_trial) whole.push_back(seconds);
  if (!whole.empty()) taken.expected = median(std::move(whole));
  return taken;
}

bool Spending::has_room(const std::vector<store::AttemptRow>& running) const {
  if (!budget_) return true;
  const Taken now = taken(running);
  double committed = now.in_all + now.expected;
  for (const double seconds : now.running) committed += std::max(0.0, now.expected - seconds);
  return now.in_all < budget_->seconds && committed <= budget_->seconds;
}

bool Spending::is_spent(const std::vector<store::AttemptRow>& running) const {
  return budget_ && taken(running).in_all >= budget_->seconds;
}

const char* Spending::reason() const {
  TUNE_CHECK(budget_.has_value());
  return budget_->reason;
}

}  // namespace tune::engine
