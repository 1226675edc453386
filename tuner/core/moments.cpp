#include "tuner/core/moments.h"

#include <numeric>

namespace tune {
namespace {

double squared_deviations(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

}  // namespace

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double population_variance(const std::vector<double>& values) {
  return values.empty() ? 0 : squared_deviations(values) / static_cast<double>(values.size());
}

double sample_variance(const std::vector<double>& values) {
  return squared_deviations(values) / static_cast<double>(values.size() - 1);
}

}  // namespace tune
