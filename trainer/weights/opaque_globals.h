#pragma once
// Python objects that training programs keep beside their weights, and that say nothing about them.
#include <string_view>

namespace tune::trainer::weights {

// Whether an object of this name ("collections.Counter") is passed over in a pickle. Each is a plain value;
// a name that is missing here makes a file refused, so the list holds what is common, and nothing that runs
// anything when Python reads it.
bool is_opaque_global(std::string_view name);

}  // namespace tune::trainer::weights
