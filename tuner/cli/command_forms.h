#pragma once
// The command lines that a spec makes, as people read them.
#include <string>
#include <vector>

#include "tuner/spec/spec.h"

namespace tune::cli {

// What the spec's command becomes in the middle of the space, and in the other forms that it takes: with and
// without the elements of parameters that may be inactive or null, and with each switch. What only a trial
// knows keeps its name: {{seed}}. At least one; some of them where there are very many. Empty without a
// command.
std::vector<std::vector<std::string>> command_forms(const Spec& spec);

}  // namespace tune::cli
