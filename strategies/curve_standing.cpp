#include "strategies/curve_standing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tune::strategies {

namespace {

constexpr double kDiverged = std::numeric_limits<double>::quiet_NaN();

// As reduce_curve(), of a part of a curve and without a copy: a verdict looks at thousands of curves.
double best_of(const MetricPoint* point, const MetricPoint* end, const Objective& objective) {
  const bool is_least = objective.reduce == Reduce::kMin ||
                        (objective.reduce == Reduce::kBest && objective.goal == Goal::kMinimize);
  double best = kDiverged;
  for (; point != end; ++point) {
    if (!std::isfinite(point->value)) continue;
    if (std::isnan(best) || (is_least ? point->value < best : point->value > best)) best = point->value;
  }
  return best;
}

}  // namespace

double reached(const MetricPoint* begin, const MetricPoint* end, const Objective& objective) {
  const double newest = (end - 1)->value;
  const bool is_single = end - begin == 1;
  const bool is_lost = !std::isfinite(newest);
  const bool was_lost = is_single || !std::isfinite((end - 2)->value);
  if (is_lost && was_lost) return kDiverged;
  if (objective.reduce != Reduce::kLast) return best_of(begin, end, objective);
  if (is_single) return newest;
  const double before = (end - 2)->value;
  if (is_lost || was_lost) return is_lost ? before : newest;
  return is_better(before, newest, objective.goal) ? before : newest;
}

double reached(const std::vector<MetricPoint>& curve, const Objective& objective) {
  return reached(curve.data(), curve.data() + curve.size(), objective);
}

std::optional<double> reached_by(const std::vector<MetricPoint>& curve, std::int64_t step,
                                 const Objective& objective) {
  if (curve.empty() || curve.back().step < step) return std::nullopt;
  const auto first =
      std::lower_bound(curve.begin(), curve.end(), step,
                       [](const MetricPoint& point, std::int64_t wanted) { return point.step < wanted; });
  return reached(curve.data(), curve.data() + (first - curve.begin()) + 1, objective);
}

}  // namespace tune::strategies
