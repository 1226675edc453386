#include "tuner/report/cost.h"

#include <algorithm>

namespace tune::report {
namespace {

constexpr double kSecondsPerHour = 3600;

Cost cost_of(const store::AttemptRow& attempt, std::optional<double> price) {
  Cost cost;
  cost.lease_seconds = attempt.lease_seconds;
  cost.device_hours = store::device_seconds(attempt) / kSecondsPerHour;
  if (price) cost.usd = cost.device_hours * *price;
  return cost;
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  lease_seconds += other.lease_seconds;
  device_hours += other.device_hours;
  if (other.usd) usd = usd.value_or(0) + *other.usd;
  return *this;
}

std::optional<double> usd_per_hour(const store::StudyRow& study) {
  const Json::json_pointer place("/cost/usd_per_hour");
  if (!study.spec.is_object() || !study.spec.contains(place) || !study.spec.at(place).is_number())
    return std::nullopt;
  return study.spec.at(place).get<double>();
}

void bill_running(std::vector<store::AttemptRow>& attempts, WallTime now) {
  for (auto& attempt : attempts) {
    if (attempt.state != "running" || attempt.ended) continue;
    const WallTime since = attempt.started.value_or(attempt.created);
    // A clock that was set back must not make a negative bill.
    attempt.lease_seconds = std::max(0.0, static_cast<double>((now - since).count()) / 1000);
  }
}

CostReport::CostReport(const std::vector<store::TrialRow>& trials,
                       const std::vector<store::AttemptRow>& attempts, std::optional<double> price) {
  if (price) zero_.usd = 0;
  total_ = retried_ = zero_;
  std::map<int, int> last_attempt;
  for (const auto& attempt : attempts)
    last_attempt[attempt.trial] = std::max(last_attempt[attempt.trial], attempt.attempt);
  for (const auto& attempt : attempts) {
    const Cost cost = cost_of(attempt, price);
    TrialCost& trial = by_trial_.try_emplace(attempt.trial, TrialCost{zero_, zero_}).first->second;
    trial.total += cost;
    total_ += cost;
    if (attempt.attempt == last_attempt[attempt.trial]) continue;
    trial.retried += cost;
    retried_ += cost;
  }
  for (const auto& trial : trials)
    by_state_.try_emplace(trial.state, zero_).first->second += of(trial.number).total;
}

TrialCost CostReport::of(int trial) const {
  const auto found = by_trial_.find(trial);
  return found == by_trial_.end() ? TrialCost{zero_, zero_} : found->second;
}

Cost CostReport::of(TrialState state) const {
  const auto found = by_state_.find(state);
  return found == by_state_.end() ? zero_ : found->second;
}

}  // namespace tune::report
