#pragma once
// Enumerations as the texts that the tables hold. Internal to the store.
#include <string>

#include "tuner/core/history.h"

namespace tune::store {

const char* goal_text(Goal goal);
Goal goal_from(const std::string& text);
const char* reduce_text(Reduce reduce);
Reduce reduce_from(const std::string& text);

// A list of doubles as JSON text and back; non-finite ones as number_to_json writes them.
Json values_json(const std::vector<double>& values);
std::vector<double> values_from(const Json& json);

}  // namespace tune::store
