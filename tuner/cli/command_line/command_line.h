#pragma once
// A program's command line: one table of commands, one place that prints errors, one place that turns them
// into exit codes. Shared by `tune` and `tune-train`; knows no command of theirs.
#include <exception>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"

namespace tune::cli {

using Arguments = std::vector<std::string>;

// Where a command writes: results to `out`, everything else to `err`. Made by run_command_line, or by a test
// over string streams.
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
  std::string_view summary;   // one line for --help
  std::string_view example;   // shell lines, each with the program's name
  int (*run)(const Arguments& arguments, Console& console);
};

// An option of a command, as in --data DATA.
struct Option {
  std::string name;         // "follow,f" has a short form
  std::string placeholder;  // of its value; empty for a flag
  std::string help;
  bool required = false, repeated = false;
  std::string default_value = {};  // "": none
};

// What is special about one program.
struct CommandLine {
  std::string_view program;         // "tune"
  std::string_view purpose;         // the first line of --help, behind the program's name
  std::string_view usage;           // a line each
  std::string_view notes;           // the end of --help
  std::vector<Command> commands;    // in the order of --help
  std::vector<Option> common = {};  // options that every command has
  std::string_view unnamed;  // the command whose arguments may come without its name: they begin with "--"
  void (*print_version)(bool as_json, std::ostream& out) = nullptr;
  std::string_view bug = {};  // the hint of an internal error
  // What an exception of the program's libraries means; empty where that is not known.
  std::optional<Error> (*translate)(const std::exception& error) = nullptr;
  // The cure for a word that is no command, where the program knows better; "" otherwise.
  std::string (*other_word)(const std::string& word) = nullptr;
};

// nullptr when there is no such command.
const Command* find_command(const CommandLine& line, std::string_view name);

// Whether this process stands in a folder that is there no longer, where relative paths have no meaning.
bool is_current_folder_removed();
Error current_folder_removed();

// What `work` returns; or, where it throws, prints the error and returns its exit code. Never throws.
int run_reporting_errors(const CommandLine& line, bool as_json, Console& console,
                         const std::function<int()>& work);

// Everything between main() and a command: picks it, runs it, prints its error, as JSON where --json is among
// the arguments. Never throws. `arguments` are without the program's name.
int run_command_line(const CommandLine& line, const Arguments& arguments, Console& console);
// The same on stdout and stderr.
int run_command_line(const CommandLine& line, int argc, char** argv);

}  // namespace tune::cli
