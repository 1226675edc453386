#pragma once
// A command of `tune-train`: one row of a plain table, one file each (trainer/cli/<name>_command.cpp).
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::cli {

// Where a command writes. stdout is the result, stderr is progress; neither gets escape codes unless it is a
// terminal.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;
};

struct Command {
  std::string_view name;      // "evaluate"; "--trial" for the one that the orchestrator starts
  std::string_view synopsis;  // "evaluate --model MODEL --data DATA [--json]"
  std::string_view summary;   // one line
  std::string_view example;   // a command line that works
  // `arguments` come after the command's name. Returns the exit code; errors are thrown as tune::Error and
  // printed in one place (as JSON on stderr when `--json` is among the arguments).
  int (*run)(const std::vector<std::string>& arguments, Console& console);
};

const std::vector<Command>& command_table();

// The document and a line's end. What is not UTF-8 in it, as the name of a file may be, becomes U+FFFD.
void print_json(const OrderedJson& json, std::ostream& out, int indent = 2);

// Finds the command and runs it. Unknown commands and options exit 2.
int run_cli(int argc, const char* const* argv, Console& console);

}  // namespace tune::trainer::cli
