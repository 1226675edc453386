#pragma once
// Mean and variance of a list.
#include <vector>

namespace tune::strategies {

// 0 of an empty list.
double mean_of(const std::vector<double>& values);
// Divided by the number of values; 0 of an empty list.
double variance_of(const std::vector<double>& values);

}  // namespace tune::strategies
