#pragma once
// How commands print.
#include <string>

#include "tuner/cli/command_line/command_line.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::cli {

// JSON on one line: bytes that are not UTF-8 are "\\xff", and what a terminal would obey is escaped.
std::string json_line(const Json& json);
void print_json(const Json& json, Console& console);  // and a line's end
// The same with its keys in their order, over several lines indented by `indent`; -1: on one.
void print_ordered(const OrderedJson& json, Console& console, int indent = 2);

// The reader of the result may be gone, with a pipe or a terminal: that changes nothing about how the work
// ended. A full disk does, as the result was to be kept, unless somebody interrupted it.
void finish_output(std::ostream& out, ExitCode ending);

}  // namespace tune::cli
