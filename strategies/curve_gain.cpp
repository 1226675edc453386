#include "strategies/curve_gain.h"

#include <algorithm>
#include <cmath>

namespace tune::strategies {

double CurveGain::after(std::int64_t step) {
  const auto known = known_.find(step);
  if (known != known_.end()) return known->second;
  std::vector<double> gains;
  for (auto trial = history_.trials.rbegin(); trial != history_.trials.rend() && gains.size() < kMostCurves;
       ++trial) {
    const TrialView& view = **trial;
    if (view.state != TrialState::kCompleted || view.values.empty() || view.curve.empty() ||
        view.curve.back().step <= step)
      continue;
    std::vector<MetricPoint> head;
    for (const MetricPoint& point : view.curve)
      if (point.step <= step) head.push_back(point);
    const auto then = reduce_curve(head, history_.objective);
    if (then && std::isfinite(view.values[0])) gains.push_back(view.values[0] - *then);
  }
  double gain = 0;
  if (!gains.empty()) {
    const auto middle = gains.begin() + static_cast<std::ptrdiff_t>(gains.size() / 2);
    std::nth_element(gains.begin(), middle, gains.end());
    gain = std::isfinite(*middle) ? *middle : 0;
  }
  return known_[step] = gain;
}

}  // namespace tune::strategies
