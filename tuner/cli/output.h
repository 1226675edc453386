#pragma once
// How commands print.
#include "tuner/cli/command.h"
#include "tuner/core/json.h"

namespace tune::cli {

// One line of JSON; bytes that are not UTF-8 are replaced.
void print_json(const Json& json, Console& console);

}  // namespace tune::cli
