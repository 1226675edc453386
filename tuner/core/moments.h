#pragma once
// Mean and variance of a list.
#include <vector>

namespace tune {

// 0 of an empty list.
double mean_of(const std::vector<double>& values);
// Of all there is: divided by the number of values; 0 of an empty list.
double population_variance(const std::vector<double>& values);
// Of what a sample was drawn from: divided by one less. Of two values or more.
double sample_variance(const std::vector<double>& values);

}  // namespace tune
