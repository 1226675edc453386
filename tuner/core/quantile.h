#pragma once
// Quantiles of numbers.
#include <vector>

namespace tune {

// The p-quantile (p from 0 to 1) of ascending values, between neighbours by linear interpolation (type 7 of
// Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996). NaN without any.
double quantile(const std::vector<double>& ascending, double p);
// In any order; infinities are values like others.
double median(std::vector<double> values);

}  // namespace tune
