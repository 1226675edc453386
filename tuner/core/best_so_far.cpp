#include "tuner/core/best_so_far.h"

#include <algorithm>
#include <cmath>

namespace tune {

LossPair BestSoFar::losses_of(const std::vector<double>& values) const {
  if (second_) return loss_pair(values, objective_, *second_);
  return {objective_.goal == Goal::kMinimize ? values.front() : -values.front(), 0};
}

bool BestSoFar::is_improved_by(const std::vector<double>& values) const {
  const bool is_whole = values.size() == (second_ ? 2 : 1);
  if (!is_whole || std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); }))
    return false;
  const LossPair losses = losses_of(values);
  return std::none_of(losses_.begin(), losses_.end(),
                      [&](const LossPair& other) { return other == losses || dominates(other, losses); });
}

void BestSoFar::add(const std::vector<double>& values) {
  if (!is_improved_by(values)) return;
  const LossPair losses = losses_of(values);
  std::erase_if(losses_, [&](const LossPair& other) { return dominates(losses, other); });
  losses_.push_back(losses);
}

std::optional<double> BestSoFar::best() const {
  if (losses_.empty()) return std::nullopt;
  double least = losses_.front()[0];
  for (const LossPair& losses : losses_) least = std::min(least, losses[0]);
  return objective_.goal == Goal::kMinimize ? least : -least;
}

}  // namespace tune
