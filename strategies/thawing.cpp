#include "strategies/thawing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "strategies/normal_distribution.h"

namespace tune::strategies {
namespace {

double log_expected_improvement(const ExpectedEnd& end, double best) {
  const double deviation = std::sqrt(end.variance);
  return std::log(deviation) + log_improvement((best - end.mean) / deviation).value;
}

}  // namespace

double Thawing::expected_price(std::int64_t step, std::int64_t full_steps, double probability) const {
  std::int64_t next = full_steps;
  for (const std::int64_t stop : rungs_.steps(full_steps))
    if (stop > step) next = stop;  // they descend
  const auto part = [&](std::int64_t from, std::int64_t to) {
    return static_cast<double>(std::max<std::int64_t>(to - from, 0)) / static_cast<double>(full_steps);
  };
  return part(step, next) + probability * part(next, full_steps);
}

std::optional<PausedTrial> Thawing::choose(const std::vector<PausedTrial>& paused,
                                           const ExpectedEnd& new_point, double log_price, double best,
                                           const History& history) const {
  const double correction = rungs_.correction(history);
  // A trial that has come to its end, by what is known of the length, costs something too.
  constexpr double kLeastPrice = 1e-3;
  const auto score = [&](const ExpectedEnd& end, double log_whole, std::int64_t step, std::int64_t full) {
    const double probability = normal_cumulative((best - end.mean) / std::sqrt(end.variance));
    const double price = std::max(expected_price(step, full, probability), kLeastPrice);
    return log_expected_improvement(end, best) - std::log(price) - log_whole;
  };
  std::optional<PausedTrial> chosen;
  double highest = -std::numeric_limits<double>::infinity();
  std::int64_t longest = 0;
  for (const PausedTrial& candidate : paused) {
    const auto full = rungs_.full_steps(candidate.trial->parameters, correction);
    if (!full || candidate.trial->curve.empty()) continue;
    longest = std::max(longest, *full);
    const double value = score(candidate.end, candidate.log_price, candidate.trial->curve.back().step, *full);
    if (value > highest) highest = value, chosen = candidate;
  }
  if (chosen && score(new_point, log_price, 0, longest) < highest) return chosen;
  return std::nullopt;
}

}  // namespace tune::strategies
