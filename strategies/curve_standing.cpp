#include "strategies/curve_standing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace tune::strategies {

double reached(const std::vector<MetricPoint>& curve, const Objective& objective) {
  constexpr double kDiverged = std::numeric_limits<double>::quiet_NaN();
  const double newest = curve.back().value;
  const bool is_lost = !std::isfinite(newest);
  const bool was_lost = curve.size() == 1 || !std::isfinite(curve[curve.size() - 2].value);
  if (is_lost && was_lost) return kDiverged;
  if (objective.reduce != Reduce::kLast) return reduce_curve(curve, objective).value_or(kDiverged);
  if (curve.size() == 1) return newest;
  const double before = curve[curve.size() - 2].value;
  if (is_lost || was_lost) return is_lost ? before : newest;
  return is_better(before, newest, objective.goal) ? before : newest;
}

std::optional<double> reached_by(const std::vector<MetricPoint>& curve, std::int64_t step,
                                 const Objective& objective) {
  const auto first = std::find_if(curve.begin(), curve.end(),
                                  [step](const MetricPoint& point) { return point.step >= step; });
  if (first == curve.end()) return std::nullopt;
  return reached({curve.begin(), first + 1}, objective);
}

std::string for_people(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

}  // namespace tune::strategies
