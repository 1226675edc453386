#pragma once
// The commands of `tune`: one table, one place that prints errors, one place that turns them into exit codes.
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace tune::cli {

// Where a command writes: results to `out`, everything else to `err`. Made by run_cli, or by a test over
// string streams.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool color = false;  // whether `out` may carry SGR colours
  int width = 80;      // columns of the terminal; 0 means that tables need not fit anything
};

// One row of the table. `run` gets the arguments after the command's name and returns the exit code; it
// throws tune::Error for everything that ends it early.
struct Command {
  std::string_view name;
  std::string_view synopsis;  // "trials STUDY [--csv] [--json]"
  std::string_view summary;   // one line for `tune --help`
  std::string_view example;   // shell lines, each starting with "tune"
  int (*run)(const std::vector<std::string>& arguments, Console& console);
};

// In the order of `tune --help`.
const std::vector<Command>& command_table();
// nullptr when there is no such command.
const Command* find_command(std::string_view name);

// Everything between main() and a command: picks it, runs it, prints its error. Never throws.
int run_cli(int argc, char** argv);
// The same with the console given; `arguments` are without the program's name.
int run_cli(const std::vector<std::string>& arguments, Console& console);

}  // namespace tune::cli
