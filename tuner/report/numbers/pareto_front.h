#pragma once
// Points that are worth their cost.
#include <cstddef>
#include <vector>

#include "tuner/core/history.h"

namespace tune::report {

// Indices of the points that no other one beats in both cost and value, cheapest first; of equals the first.
std::vector<std::size_t> pareto_front(const std::vector<double>& costs, const std::vector<double>& values,
                                      Goal goal);

}  // namespace tune::report
