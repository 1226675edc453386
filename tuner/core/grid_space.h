#pragma once
// The space as a grid sees it. Defined in space.cpp.
#include "tuner/core/space.h"

namespace tune {

// A parameter with `levels` has these values and no others. Its cardinality() is the number of the grid's
// points; 0 where a continuous parameter has no levels.
SearchSpace grid_space(const SearchSpace& space);

}  // namespace tune
