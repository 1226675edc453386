#pragma once
// Values of any scale as scores.
#include <vector>

namespace tune::strategies {

// Brings finite values to mean 0 and variance 1. Values far out, beyond three interquartile ranges from the
// quartiles (Tukey, "Exploratory Data Analysis", 1977), count as the value there, unless half of all values
// are equal: there is no scale then to judge the others by. False, and the values are all 0, when they are
// equal. Neither large nor small values overflow.
bool standardise(std::vector<double>& values);

}  // namespace tune::strategies
