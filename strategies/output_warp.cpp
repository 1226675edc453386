#include "strategies/output_warp.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tune::strategies {
namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments result;
  for (const double v : values) result.mean += v / static_cast<double>(values.size());
  for (const double v : values) {
    result.deviation += (v - result.mean) * (v - result.mean) / static_cast<double>(values.size());
  }
  result.deviation = std::sqrt(result.deviation);
  return result;
}

double signed_log(double z) { return std::copysign(std::log1p(std::abs(z)), z); }

// Yeo and Johnson's transformation, by the signed logarithm.
double bent(double log, double power) {
  const double side = std::copysign(1.0, log), exponent = side > 0 ? power : 2 - power;
  return exponent == 0 ? log : side * std::expm1(exponent * std::abs(log)) / exponent;
}

// The likelihood of powers, up to a constant. Logarithms are taken once for all powers.
class PowerLikelihood {
 public:
  explicit PowerLikelihood(const std::vector<double>& z) : logs_(z.size()), warped_(z.size()) {
    std::transform(z.begin(), z.end(), logs_.begin(), signed_log);
    for (const double v : logs_) jacobian_ += v;
  }

  double log(double power) {
    std::transform(logs_.begin(), logs_.end(), warped_.begin(), [&](double v) { return bent(v, power); });
    const double count = static_cast<double>(logs_.size());
    return -count * std::log(moments(warped_).deviation) + (power - 1) * jacobian_;
  }

 private:
  std::vector<double> logs_, warped_;
  double jacobian_ = 0;  // of the warp, for a power of 2
};

double most_likely_power(const std::vector<double>& z) {
  // A handful of values says nothing about the shape, and a small gain is chance.
  constexpr std::size_t kFewest = 8;
  constexpr double kSmallestGain = 2;
  if (z.size() < kFewest) return 1;
  PowerLikelihood likelihood(z);
  double best_power = 1;
  double best = likelihood.log(1) + kSmallestGain;
  for (int step = -20; step <= 40; ++step) {
    const double power = step / 10.0;
    const double candidate = likelihood.log(power);
    if (std::isfinite(candidate) && candidate > best) best = candidate, best_power = power;
  }
  return best_power;
}

// Three root mean square distances from the median to the losses better than it, divided by `scale`; where
// there are none, from the median to the others. The better half, since divergence is no measure of
// differences that matter (Song et al., "The Vizier Gaussian Process Bandit Algorithm", 2024). 0 when all are
// equal but for rounding.
double spread(const std::vector<double>& sorted, double scale) {
  constexpr double kRounding = 1e-14, kLargest = 1e150;
  const double median = sorted[sorted.size() / 2] / scale;
  double better = 0, worse = 0;
  int better_count = 0, worse_count = 0;
  for (const double loss : sorted) {
    const double distance = std::clamp(loss / scale - median, -kLargest, kLargest);
    if (distance < -kRounding) better += distance * distance, ++better_count;
    if (distance > kRounding) worse += distance / 1e75 * (distance / 1e75), ++worse_count;
  }
  if (better_count > 0) return 3 * std::sqrt(better / better_count);
  return worse_count > 0 ? 3 * std::sqrt(worse / worse_count) * 1e75 : 0;
}

}  // namespace

double yeo_johnson(double z, double power) { return bent(signed_log(z), power); }

double yeo_johnson_inverse(double warped, double power) {
  if (warped >= 0) return power == 0 ? std::expm1(warped) : std::expm1(std::log1p(power * warped) / power);
  const double mirrored = 2 - power;
  return mirrored == 0 ? -std::expm1(-warped) : -std::expm1(std::log1p(-mirrored * warped) / mirrored);
}

OutputWarp OutputWarp::fit(const std::vector<double>& losses) {
  OutputWarp warp;
  if (losses.empty()) return warp;
  std::vector<double> sorted = losses;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  warp.scale_ = std::max({std::abs(sorted.front()), std::abs(median), std::numeric_limits<double>::min()});
  warp.shift_ = median / warp.scale_;
  warp.spread_ = spread(sorted, warp.scale_);
  if (warp.spread_ == 0) return warp;
  std::vector<double> values(losses.size());
  std::transform(losses.begin(), losses.end(), values.begin(), [&](double v) { return warp.standard(v); });
  warp.power_ = most_likely_power(values);
  std::transform(losses.begin(), losses.end(), values.begin(),
                 [&](double v) { return yeo_johnson(warp.standard(v), warp.power_); });
  const Moments warped = moments(values);
  warp.warped_shift_ = warped.mean;
  warp.warped_spread_ = std::max(warped.deviation, 1e-12);
  return warp;
}

double OutputWarp::standard(double loss) const {
  // A power below 1 brings far values near; without one they would press the others together.
  constexpr double kFarthest = 10, kFarthestBent = 1e15;
  return std::min((loss / scale_ - shift_) / spread_, power_ == 1 ? kFarthest : kFarthestBent);
}

double OutputWarp::operator()(double loss) const {
  if (spread_ == 0) return 0;
  return std::min((yeo_johnson(standard(loss), power_) - warped_shift_) / warped_spread_, kCap);
}

double OutputWarp::variance(double loss, double deviation) const {
  const double width = ((*this)(loss + deviation) - (*this)(loss - deviation)) / 2;
  // The cap makes far losses equal, which does not make them certain.
  return std::isfinite(width) ? width * width : kCap * kCap;
}

double OutputWarp::inverse(double warped) const {
  if (spread_ == 0) return shift_ * scale_;
  const double z = yeo_johnson_inverse(warped * warped_spread_ + warped_shift_, power_);
  if (std::isnan(z))
    return warped > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  return (z * spread_ + shift_) * scale_;
}

}  // namespace tune::strategies
