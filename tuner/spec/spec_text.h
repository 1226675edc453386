#pragma once
// A spec as people write it.
#include <string>

#include "tuner/core/json.h"

namespace tune {

// A parameter a line.
std::string spec_text(const OrderedJson& spec);

}  // namespace tune
