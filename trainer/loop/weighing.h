#pragma once
#include <string>

namespace tune::trainer::loop {

// Whether other values of a hyperparameter of that name take another amount of memory or of time, in any
// recipe of any task: a search over it is estimated at both of its ends (docs/estimates.md).
bool weighs(const std::string& hyperparameter);

}  // namespace tune::trainer::loop
