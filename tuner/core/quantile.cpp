#include "tuner/core/quantile.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace tune {

double quantile(const std::vector<double>& ascending, double p) {
  if (ascending.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double place = p * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double part = place - static_cast<double>(below);
  // Equal neighbours as they are: the difference of two infinities is no number.
  if (part == 0 || ascending[below] == ascending[above]) return ascending[below];
  return ascending[below] * (1 - part) + ascending[above] * part;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

}  // namespace tune
