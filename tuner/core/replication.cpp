#include "tuner/core/replication.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "tuner/core/moments.h"

namespace tune {
namespace {

constexpr double kRisk = 0.05;
constexpr double kRounding = 1e-9;  // of a value: a difference below it is none, but what sums leave over

// The probability that a Student t variable exceeds t > 0: Abramowitz and Stegun, "Handbook of Mathematical
// Functions", 26.7.3 and 26.7.4.
double student_upper_tail(double t, std::size_t degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double sine = std::sin(angle), square = std::cos(angle) * std::cos(angle);
  const bool is_odd = degrees % 2 == 1;
  double term = is_odd ? std::cos(angle) : 1, sum = degrees == 1 ? 0 : term;
  for (std::size_t i = is_odd ? 3 : 2; i + 2 <= degrees; i += 2) {
    term *= square * static_cast<double>(i - 1) / static_cast<double>(i);
    sum += term;
  }
  const double within = is_odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
  return (1 - within) / 2;
}

}  // namespace

double student_upper_quantile(double upper_tail, std::size_t degrees) {
  double low = 0, high = 1;
  while (student_upper_tail(high, degrees) > upper_tail && high < 1e12) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (student_upper_tail(middle, degrees) > upper_tail ? low : high) = middle;
  }
  return high;
}

std::vector<SeedResult> seed_results(const History& history) {
  std::vector<SeedResult> results;
  for (const auto& trial : history.trials)
    if (trial->role != SearchRole::kRepeat && trial->state == TrialState::kCompleted &&
        !trial->values.empty() && std::isfinite(trial->values[0]))
      results.push_back({trial->number, trial->values[0], trial->replicate_of});
  return results;
}

Replication::Replication(Goal goal, const std::vector<SeedResult>& results) : goal_(goal) {
  std::map<int, Candidate> by_number;
  std::map<int, SeedResult> replicates;
  for (const SeedResult& result : results) {
    if (result.replicate_of)
      replicates[result.trial] = result;
    else
      by_number[result.trial] = {.trial = result.trial, .first = result.value, .mean = result.value};
  }
  for (const auto& [number, result] : replicates) {
    const auto candidate = by_number.find(*result.replicate_of);
    if (candidate == by_number.end()) continue;
    candidate->second.fresh.push_back(result.value);
    ++fresh_;
  }
  for (auto& [number, candidate] : by_number) candidates_.push_back(std::move(candidate));
  if (fresh_ > 0) estimate_in_range();
}

// The squares of values as large as those of a trial that has diverged would overflow.
void Replication::estimate_in_range() {
  constexpr double kLarge = 1e100;
  double largest = 0;
  for (const Candidate& one : candidates_) {
    largest = std::max(largest, std::abs(one.first));
    for (const double value : one.fresh) largest = std::max(largest, std::abs(value));
  }
  if (largest < kLarge) return estimate();
  const std::vector<Candidate> as_given = candidates_;
  const auto scaled = [](auto& value, double factor) {
    if (value) *value *= factor;
  };
  for (Candidate& one : candidates_) {
    one.first /= largest;
    for (double& value : one.fresh) value /= largest;
  }
  estimate();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    Candidate& one = candidates_[i];
    one.first = as_given[i].first;
    one.fresh = as_given[i].fresh;
    one.mean *= largest;
    for (auto* value : {&one.bound, &one.luck, &one.spread}) scaled(*value, largest);
  }
  scaled(deviation_, largest);
}

void Replication::estimate() {
  const double sign = goal_ == Goal::kMaximize ? 1 : -1;
  double luck = 0, squares = 0, repeated = 0;
  for (const Candidate& one : candidates_) {
    if (one.fresh.empty()) continue;
    const auto count = static_cast<double>(one.fresh.size());
    luck += count / (count + 1) * (one.first - mean_of(one.fresh));
    weight_ += count / (count + 1);
    ++repeated;
  }
  luck /= weight_;
  for (Candidate& one : candidates_) {
    const auto values = static_cast<double>(one.fresh.size()) + 1;
    double sum = one.first - luck;
    for (const double value : one.fresh) sum += value;
    one.mean = sum / values;
    if (one.fresh.empty()) continue;
    for (const double value : one.fresh) squares += (value - one.mean) * (value - one.mean);
    squares += (one.first - luck - one.mean) * (one.first - luck - one.mean);
    const double fresh = mean_of(one.fresh), luck_of_one = sign * (one.first - fresh);
    const bool is_rounding =
        std::abs(luck_of_one) <= kRounding * std::max(std::abs(one.first), std::abs(fresh));
    one.luck = is_rounding ? 0 : luck_of_one;
    if (one.fresh.size() > 1) one.spread = std::sqrt(sample_variance(one.fresh));
  }
  if (fresh_ < 2) return;
  deviation_ = std::sqrt(squares / static_cast<double>(fresh_ - 1));
  const double quantile = student_upper_quantile(kRisk / repeated, fresh_ - 1);
  for (Candidate& one : candidates_) {
    const double share = 1 / (static_cast<double>(one.fresh.size()) + 1);
    one.bound = one.mean - sign * quantile * *deviation_ * std::sqrt(share + share * share / weight_);
  }
}

const Replication::Candidate* Replication::find(int trial) const {
  const auto found = std::lower_bound(candidates_.begin(), candidates_.end(), trial,
                                      [](const Candidate& one, int number) { return one.trial < number; });
  return found != candidates_.end() && found->trial == trial ? &*found : nullptr;
}

bool Replication::ranks_before(const Candidate& a, const Candidate& b) const {
  const double ours = a.bound.value_or(a.first), theirs = b.bound.value_or(b.first);
  // Where one replicate has diverged, the common deviation is so large that all bounds are the same.
  return ours == theirs ? is_better(a.mean, b.mean, goal_) : is_better(ours, theirs, goal_);
}

std::vector<const Replication::Candidate*> Replication::ranking() const {
  std::vector<const Candidate*> ranked;
  for (const Candidate& one : candidates_) ranked.push_back(&one);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](const Candidate* a, const Candidate* b) { return ranks_before(*a, *b); });
  return ranked;
}

const Replication::Candidate* Replication::winner() const {
  const Candidate* best = nullptr;
  for (const Candidate& one : candidates_)
    if (best == nullptr || ranks_before(one, *best)) best = &one;
  return best;
}

bool Replication::is_beaten(const Candidate& candidate, const Candidate& leader) const {
  if (!deviation_ || candidate.trial == leader.trial) return false;
  const double ours = 1 / (static_cast<double>(candidate.fresh.size()) + 1);
  const double theirs = 1 / (static_cast<double>(leader.fresh.size()) + 1);
  const double error = *deviation_ * std::sqrt(ours + theirs + (ours - theirs) * (ours - theirs) / weight_);
  const double ahead = goal_ == Goal::kMaximize ? leader.mean - candidate.mean : candidate.mean - leader.mean;
  return ahead > student_upper_quantile(kRisk, fresh_ - 1) * error;
}

}  // namespace tune
