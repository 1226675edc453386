#pragma once
// The cores that this process may use, and how trials share them.
#include <vector>

namespace tune::engine {

// Numbers of the cores in this process's affinity mask, ascending; at least one.
std::vector<int> usable_cores();
// The cores of slot 0, ..., slots-1. Each core goes to one slot while there are enough; surplus slots share
// cores, one each. Every slot gets at least one.
std::vector<std::vector<int>> divide_cores(const std::vector<int>& cores, int slots);

}  // namespace tune::engine
