#pragma once
// How commands print.
#include "tuner/cli/command.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::cli {

// One line of JSON; bytes that are not UTF-8 are replaced.
void print_json(const Json& json, Console& console);

// The reader of the result may be gone, with a pipe or a terminal: that changes nothing about how the work
// ended. A full disk does, as the result was to be kept, unless somebody interrupted it.
void finish_output(std::ostream& out, ExitCode ending);

}  // namespace tune::cli
