#include "tuner/report/numbers/cost.h"

#include <algorithm>

#include "tuner/billing/device_shares.h"

namespace tune::report {
namespace {

constexpr double kSecondsPerHour = 3600;

}  // namespace

Cost priced(double lease_seconds, double device_seconds, std::optional<double> price) {
  Cost cost{lease_seconds, device_seconds / kSecondsPerHour, {}};
  if (price) cost.usd = cost.device_hours * *price;
  return cost;
}

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

void bill_running(store::AttemptRow& attempt, WallTime now) {
  if (attempt.state != store::AttemptState::kRunning || attempt.ended) return;
  const WallTime since = attempt.started.value_or(attempt.created);
  // A clock that was set back must not make a negative bill.
  attempt.lease_seconds = std::max(0.0, static_cast<double>((now - since).count()) / 1000);
}

void bill_running(std::vector<store::AttemptRow>& attempts, WallTime now) {
  for (store::AttemptRow& attempt : attempts) bill_running(attempt, now);
}

CostReport::CostReport(const std::vector<store::TrialRow>& trials,
                       const std::vector<store::AttemptRow>& attempts, std::optional<double> price,
                       const std::vector<store::AttemptRow>& others) {
  if (price) zero_.usd = 0;
  total_ = retried_ = deleted_ = zero_;
  std::map<int, int> last_attempt;
  for (const auto& attempt : attempts)
    last_attempt[attempt.trial] = std::max(last_attempt[attempt.trial], attempt.attempt);
  const std::vector<double> shares = billing::device_shares(attempts, others);
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const store::AttemptRow& attempt = attempts[i];
    const Cost cost = priced(attempt.lease_seconds, shares[i], price);
    by_attempt_[{attempt.trial, attempt.attempt}] = cost;
    TrialCost& trial = by_trial_.try_emplace(attempt.trial, TrialCost{zero_, zero_}).first->second;
    trial.total += cost;
    total_ += cost;
    if (attempt.attempt == last_attempt[attempt.trial] || attempt.stop == StopReason::kPause) continue;
    trial.retried += cost;
    retried_ += cost;
  }
  for (const auto& trial : trials)
    (trial.facts.deleted ? deleted_ : by_state_.try_emplace(trial.state, zero_).first->second) +=
        of(trial.number).total;
}

TrialCost CostReport::of(int trial) const {
  const auto found = by_trial_.find(trial);
  return found == by_trial_.end() ? TrialCost{zero_, zero_} : found->second;
}

Cost CostReport::of(int trial, int attempt) const {
  const auto found = by_attempt_.find({trial, attempt});
  return found == by_attempt_.end() ? zero_ : found->second;
}

Cost CostReport::of(TrialState state) const {
  const auto found = by_state_.find(state);
  return found == by_state_.end() ? zero_ : found->second;
}

}  // namespace tune::report
