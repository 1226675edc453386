#include "tuner/engine/spending.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/error.h"
#include "tuner/engine/outcome.h"

namespace tune::engine {
namespace {

constexpr double kSecondsPerHour = 3600;

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

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

Spending::Spending(std::optional<DeviceBudget> budget, const std::vector<store::TrialRow>& trials,
                   const std::vector<store::AttemptRow>& attempts)
    : budget_(budget) {
  for (const store::AttemptRow& attempt : attempts) {
    const double seconds = store::device_seconds(attempt);
    if (!attempt.ended) continue;
    ended_ += seconds;
    by_trial_[attempt.trial] += seconds;
  }
  for (const store::TrialRow& trial : trials)
    if (trial.state == TrialState::kCompleted) completed_.push_back(by_trial_[trial.number]);
  std::sort(completed_.begin(), completed_.end());
}

void Spending::on_end(int trial, TrialState state, double device_seconds) {
  ended_ += device_seconds;
  const double whole = by_trial_[trial] += device_seconds;
  if (state == TrialState::kCompleted)
    completed_.insert(std::upper_bound(completed_.begin(), completed_.end(), whole), whole);
}

double Spending::expected() const {
  if (completed_.empty()) return 0;
  const std::size_t half = completed_.size() / 2;
  return completed_.size() % 2 == 1 ? completed_[half] : (completed_[half - 1] + completed_[half]) / 2;
}

bool Spending::has_room(const std::vector<double>& running) const {
  if (!budget_) return true;
  const double typical = expected();
  double committed = ended_;
  for (const double seconds : running) committed += std::max(seconds, typical);
  return !is_spent(running) && committed + typical <= budget_->seconds;
}

bool Spending::is_spent(const std::vector<double>& running) const {
  return budget_ && ended_ + sum(running) >= budget_->seconds;
}

const char* Spending::reason() const {
  TUNE_CHECK(budget_.has_value());
  return budget_->reason;
}

}  // namespace tune::engine
