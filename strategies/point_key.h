#pragma once
// When two points of a space are the same.
#include <set>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/space.h"

namespace tune::strategies {

// One coordinate a parameter, -1 where it is not active: equal for equal points however their numbers were
// written.
using PointKey = std::vector<double>;

PointKey point_key(const SearchSpace& space, const ParameterSet& point);

// The keys of the history's trials, whatever their state; those that are no points of this space are left
// out.
std::set<PointKey> tried_points(const SearchSpace& space, const History& history);

// Whether the history has every one of `points`, the space's cardinality(); 0 of them are never used up.
bool is_used_up(const SearchSpace& space, std::size_t points, const History& history);

}  // namespace tune::strategies
