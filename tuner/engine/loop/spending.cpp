#include "tuner/engine/loop/spending.h"

#include <algorithm>
#include <map>

#include "tuner/billing/device_shares.h"
#include "tuner/core/error.h"

namespace tune::engine {
namespace {

constexpr double kSecondsPerHour = 3600;

}  // namespace

store::AttemptRow bill_item(const store::AttemptRow& attempt) {
  store::AttemptRow row;
  row.trial = attempt.trial;
  row.attempt = attempt.attempt;
  row.devices = attempt.devices;
  row.lease_seconds = attempt.lease_seconds;
  row.created = attempt.created;
  row.started = attempt.started;
  row.ended = attempt.ended;
  return row;
}

std::optional<DeviceBudget> device_budget(const Limits& limits, std::optional<double> usd_per_hour) {
  std::optional<DeviceBudget> budget;
  if (limits.gpu_hours) budget = {*limits.gpu_hours * kSecondsPerHour, store::StudyEnd::kDeviceTimeLimit};
  // What costs nothing is never too dear.
  if (!limits.cost_usd || usd_per_hour.value_or(0) <= 0) return budget;
  const double affordable = *limits.cost_usd / *usd_per_hour * kSecondsPerHour;
  if (!budget || affordable < budget->seconds) budget = {affordable, store::StudyEnd::kCostLimit};
  return budget;
}

void Spending::Median::add(double number) {
  if (low_.empty() || number <= low_.top())
    low_.push(number);
  else
    high_.push(number);
  // The lower half has as many as the upper, or one more.
  if (low_.size() > high_.size() + 1) {
    high_.push(low_.top());
    low_.pop();
  } else if (high_.size() > low_.size()) {
    low_.push(high_.top());
    high_.pop();
  }
}

double Spending::Median::value() const {
  if (low_.empty()) return 0;
  return low_.size() > high_.size() ? low_.top() : (low_.top() + high_.top()) / 2;
}

Spending::Spending(std::optional<DeviceBudget> budget, const std::vector<store::TrialRow>& trials,
                   const std::vector<store::AttemptRow>& attempts)
    : budget_(budget) {
  if (!budget_) return;
  for (const store::AttemptRow& attempt : attempts)
    if (attempt.ended) ended_.push_back(bill_item(attempt));
  for (const store::TrialRow& trial : trials)
    if (trial.state == TrialState::kCompleted) completed_.insert(trial.number);
}

void Spending::on_end(const store::AttemptRow& attempt, TrialState state) {
  if (!budget_) return;
  ended_.push_back(bill_item(attempt));
  if (state == TrialState::kCompleted) completed_.insert(attempt.trial);
}

void Spending::see_others(std::vector<store::AttemptRow> others) {
  others_ = std::move(others);
  has_neighbours_ = is_due_ = true;
}

std::vector<store::AttemptRow> Spending::undecided(const std::vector<store::AttemptRow>& running) const {
  std::vector<store::AttemptRow> attempts = ended_;
  attempts.insert(attempts.end(), running.begin(), running.end());
  return attempts;
}

double Spending::away_before(const store::AttemptRow& attempt) const {
  const auto found = away_.find({attempt.trial, attempt.attempt});
  return found == away_.end() ? 0 : found->second;
}

// Adds up the time to the last end: who was on which device until then is known, and does not change.
void Spending::settle(const std::vector<store::AttemptRow>& running) {
  is_due_ = !has_neighbours_;
  if (ended_.empty()) return;
  std::chrono::microseconds until = settled_until_;
  for (const store::AttemptRow& attempt : ended_) until = std::max(until, billing::lease_time(attempt).end);
  const std::vector<store::AttemptRow> attempts = undecided(running);
  const std::vector<double> away = billing::shared_away(attempts, others_, {settled_until_, until});
  for (std::size_t i = 0; i < ended_.size(); ++i) {
    const double share = std::max(0.0, billing::whole_share(ended_[i]) - away_before(ended_[i]) - away[i]);
    settled_ += share;
    by_trial_[ended_[i].trial] += share;
    away_.erase({ended_[i].trial, ended_[i].attempt});
  }
  for (const store::AttemptRow& attempt : std::exchange(ended_, {})) {
    if (!completed_.contains(attempt.trial)) continue;
    const auto found = by_trial_.find(attempt.trial);
    if (found == by_trial_.end()) continue;  // another attempt of it was settled with this one
    whole_.add(found->second);
    by_trial_.erase(found);
  }
  for (std::size_t i = attempts.size() - running.size(); i < attempts.size(); ++i)
    away_[{attempts[i].trial, attempts[i].attempt}] += away[i];
  settled_until_ = until;
}

Spending::Taken Spending::look(const std::vector<store::AttemptRow>& running) {
  if (is_due_) settle(running);
  const std::vector<store::AttemptRow> attempts = undecided(running);
  const std::vector<double> away =
      billing::shared_away(attempts, others_, {settled_until_, std::chrono::microseconds::max()});
  Taken taken;
  taken.in_all = settled_;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const double share =
        std::max(0.0, billing::whole_share(attempts[i]) - away_before(attempts[i]) - away[i]);
    taken.in_all += share;
    if (i >= ended_.size()) taken.running.push_back(share);
  }
  taken.expected = whole_.value();
  return taken;
}

bool Spending::has_room(const std::vector<store::AttemptRow>& running) {
  if (!budget_) return true;
  const Taken now = look(running);
  double committed = now.in_all + now.expected;
  for (const double seconds : now.running) committed += std::max(0.0, now.expected - seconds);
  return now.in_all < budget_->seconds && committed <= budget_->seconds;
}

bool Spending::is_spent(const std::vector<store::AttemptRow>& running) {
  return budget_ && look(running).in_all >= budget_->seconds;
}

store::StudyEnd Spending::reason() const {
  TUNE_CHECK(budget_.has_value());
  return budget_->reason;
}

}  // namespace tune::engine
