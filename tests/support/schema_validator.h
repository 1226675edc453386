#pragma once
// The keywords of JSON Schema draft-07 that spec_schema uses; any other keyword is an error, so that none
// goes unchecked.
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::tests {

// What is wrong with `value`, as lines "pointer: keyword"; empty when it is valid.
std::vector<std::string> schema_violations(const OrderedJson& schema, const OrderedJson& value,
                                           const std::string& pointer = "");

}  // namespace tune::tests
