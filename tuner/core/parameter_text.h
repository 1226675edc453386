#pragma once
// The words for types and scales of parameters, as the spec and the reports have them.
#include <string>

#include "tuner/core/parameter.h"

namespace tune {

const char* parameter_type_text(ParameterType type);         // "categorical"
ParameterType parameter_type_from(const std::string& text);  // throws std::invalid_argument
const char* scale_text(Scale scale);                         // "reverse_log"
// "auto" is not among them: what it stands for depends on the range. Throws std::invalid_argument.
Scale scale_from(const std::string& text);

}  // namespace tune
