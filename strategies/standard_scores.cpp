#include "strategies/standard_scores.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/quantile.h"

namespace tune::strategies {
namespace {

constexpr double kFarOut = 3;  // interquartile ranges

void pull_in_far_values(std::vector<double>& values) {
  std::vector<double> ascending = values;
  std::sort(ascending.begin(), ascending.end());
  const double low = quantile(ascending, 0.25), high = quantile(ascending, 0.75);
  const double reach = kFarOut * (high - low);
  if (!(reach > 0) || !std::isfinite(reach)) return;
  for (double& value : values) value = std::clamp(value, low - reach, high + reach);
}

}  // namespace

bool standardise(std::vector<double>& values) {
  if (values.empty()) return false;
  pull_in_far_values(values);
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  const double middle = *least / 2 + *largest / 2, reach = *largest / 2 - *least / 2;
  if (!(reach > 0)) {
    std::fill(values.begin(), values.end(), 0.0);
    return false;
  }
  double mean = 0, square = 0;
  for (double& value : values) value = (value - middle) / reach, mean += value;
  mean /= static_cast<double>(values.size());
  for (double& value : values) value -= mean, square += value * value;
  const double spread = std::sqrt(square / static_cast<double>(values.size()));
  for (double& value : values) value /= spread;
  return true;
}

}  // namespace tune::strategies
