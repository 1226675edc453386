#pragma once
// Points of a search space as it was, in the space that it has become.
#include <map>
#include <optional>
#include <string>

#include "tuner/core/space.h"

namespace tune {

// The point with the assumed values of the active parameters that it lacks: what its trial had of them.
ParameterSet completed_point(const SearchSpace& space, ParameterSet point,
                             const std::map<std::string, Json>& assumed);

struct PlacedPoint {
  std::optional<ParameterSet> point;  // of the space
  std::string objection = {};         // why there is none
};
// The completed point without what is not searched any more, where that had the value that is fixed now.
PlacedPoint placed_point(const SearchSpace& space, const ParameterSet& point,
                         const std::map<std::string, Json>& assumed, const ParameterSet& fixed);

}  // namespace tune
