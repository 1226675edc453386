#pragma once
// Lists of doubles as the tables hold them. Internal to the store.
#include <vector>

#include "tuner/core/json.h"

namespace tune::store {

// JSON text and back; non-finite values as number_to_json writes them.
Json values_json(const std::vector<double>& values);
std::vector<double> values_from(const Json& json);

}  // namespace tune::store
