#pragma once
// What people are told of a study's replicates.
#include <string>

#include "tuner/core/history.h"
#include "tuner/core/search_settings.h"

namespace tune::engine {

// As the first one begins: "the search has ended: its best 3 trials run again, on up to 3 fresh seeds each".
std::string replicates_begin(const Replicates& settings);

// As the study ends, for the reason `end`: who wins, and how much of the best first value was luck; what had
// no room. Empty where nothing was repeated and nothing is missing.
std::string replicates_result(const History& history, const Replicates& settings, const std::string& end);

}  // namespace tune::engine
