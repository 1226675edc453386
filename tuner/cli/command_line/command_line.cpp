#include "tuner/cli/command_line/command_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <new>
#include <system_error>

#include "tuner/cli/command_line/output.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {
namespace {

Json problems_json(const Error& error) {
  Json list = Json::array();
  if (const auto* spec = dynamic_cast<const SpecError*>(&error))
    for (const Problem& problem : spec->problems())
      list.push_back({{"file", spec->file()},
                      {"line", problem.line},
                      {"column", problem.column},
                      {"pointer", problem.pointer},
                      {"message", problem.message},
                      {"hint", problem.hint}});
  return list;
}

constexpr const char* kMoreFiles = "raise the limit (`ulimit -n 4096`), or run fewer trials at once";

// Many calls can meet the limit of open files, and each names its own file, not the cure.
std::string hint_of(const Error& error) {
  const bool is_out_of_files =
      std::string_view(error.what()).find(std::strerror(EMFILE)) != std::string::npos;
  return error.hint().empty() && is_out_of_files ? kMoreFiles : error.hint();
}

int print_error(const Error& error, bool as_json, Console& console) {
  const std::string hint = hint_of(error);
  if (as_json) {
    const Json body = {{"code", code_name(error.code())},
                       {"message", error.what()},
                       {"hint", hint},
                       {"problems", problems_json(error)}};
    console.err << json_line({{"schema", 1}, {"error", body}}) << '\n';
  } else {
    console.err << "error: " << visible_text(error.what(), LineBreaks::kKeep) << '\n';
    if (!hint.empty()) console.err << "  " << visible_text(hint, LineBreaks::kKeep) << '\n';
  }
  console.err.flush();
  return static_cast<int>(error.code());
}

Error internal_error(const CommandLine& line, const std::string& what) {
  return {ExitCode::kInternal, "internal error: " + what, std::string(line.bug)};
}

// What the system refused: its limits are the environment's matter, anything else would be ours.
Error system_refusal(const CommandLine& line, int reason, const std::string& what) {
  const std::string gives = "the system gives " + std::string(line.program) + " no more ";
  if (reason == EMFILE || reason == ENFILE)
    return {ExitCode::kEnvironment, gives + "files: " + what, kMoreFiles};
  if (reason == EAGAIN)
    return {ExitCode::kEnvironment, gives + "threads or processes: " + what,
            "raise the limit (`ulimit -u`), or run fewer trials at once"};
  if (reason == ENOMEM)
    return {ExitCode::kEnvironment, "there is not enough memory: " + what,
            "raise the limit (`ulimit -v`), or run fewer trials at once"};
  if (reason == EACCES || reason == EPERM || reason == EROFS)
    return {ExitCode::kEnvironment, "the system refuses it: " + what,
            "check the rights of that file or folder"};
  if (reason == ELOOP || reason == ENAMETOOLONG || reason == ENOTDIR)
    return {ExitCode::kEnvironment, "the system refuses it: " + what, "check that path"};
  if (is_disk_full(reason)) return DiskFull(what);
  if (reason == ENOENT && is_current_folder_removed()) return current_folder_removed();
  return internal_error(line, what);
}

// What another exception than ours means.
Error error_of(const CommandLine& line, const std::exception& error) {
  if (line.translate != nullptr)
    if (std::optional<Error> known = line.translate(error)) return *std::move(known);
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
    return {ExitCode::kEnvironment, "there is not enough memory"};
  if (const auto* refusal = dynamic_cast<const boost::system::system_error*>(&error))
    return system_refusal(line, refusal->code().value(), error.what());
  if (const auto* refusal = dynamic_cast<const std::system_error*>(&error))
    return system_refusal(line, refusal->code().value(), error.what());
  return internal_error(line, error.what());
}

void print_help(const CommandLine& line, std::ostream& out) {
  out << line.program << ": " << line.purpose << "\n\nUsage: " << line.usage << "\n\nCommands:\n";
  std::size_t widest = 0;
  for (const Command& command : line.commands) widest = std::max(widest, command.name.size());
  for (const Command& command : line.commands)
    out << "  " << command.name << std::string(widest + 3 - command.name.size(), ' ') << command.summary
        << '\n';
  out << "\n`" << line.program << " COMMAND --help` explains one of them. " << line.notes;
}

[[noreturn]] void unknown_command(const CommandLine& line, const std::string& name) {
  const std::string program(line.program);
  if (const std::string cure = line.other_word != nullptr ? line.other_word(name) : ""; !cure.empty())
    throw Error(ExitCode::kUsage, "\"" + name + "\" is not a command", cure);
  std::vector<std::string> names;
  for (const Command& command : line.commands) names.emplace_back(command.name);
  const auto guess = nearest_name(name, names);
  throw Error(ExitCode::kUsage, "there is no command \"" + name + "\"",
              guess ? "did you mean `" + program + " " + *guess + "`?" : "see `" + program + " --help`");
}

// Behind "--" nothing is an option.
bool has_option(const Arguments& arguments, const char* option) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::find(arguments.begin(), end, option) != end;
}

// How many of the first arguments are options of every command, with their values.
std::size_t common_options(const CommandLine& line, const Arguments& arguments) {
  std::size_t count = 0;
  while (count < arguments.size()) {
    const std::string& argument = arguments[count];
    std::size_t taken = argument == "--json" ? 1 : 0;
    for (const Option& option : line.common) {
      if (argument == "--" + option.name) taken = option.placeholder.empty() ? 1 : 2;
      if (argument.starts_with("--" + option.name + "=")) taken = 1;
    }
    if (taken == 0) break;
    count += taken;
  }
  return std::min(count, arguments.size());
}

// The command that somebody wrote behind its options; nullptr when none is named.
const Command* named_behind(const CommandLine& line, const Arguments& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i)
    if (const Command* command = find_command(line, arguments[i])) return command;
  return nullptr;
}

int run_unnamed(const CommandLine& line, const Arguments& arguments, Console& console) {
  try {
    return find_command(line, line.unnamed)->run(arguments, console);
  } catch (const Error& error) {
    const Command* meant = error.code() == ExitCode::kUsage ? named_behind(line, arguments) : nullptr;
    if (meant == nullptr) throw;
    const std::string name = std::string(line.program) + " " + std::string(meant->name);
    throw Error(
        ExitCode::kUsage, error.what(),
        "the options of a command stand behind its name: `" + name + " ...`; see `" + name + " --help`");
  }
}

int dispatch(const CommandLine& line, const Arguments& given, bool as_json, Console& console) {
  // `tune --store DIR status` is `tune status --store DIR`.
  Arguments arguments = given;
  const std::size_t common = common_options(line, given);
  if (common < given.size() && !given[common].starts_with('-'))
    std::rotate(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(common),
                arguments.begin() + static_cast<std::ptrdiff_t>(common) + 1);
  if (arguments.empty()) {
    print_help(line, console.err);
    return static_cast<int>(ExitCode::kUsage);
  }
  const std::string& first = arguments.front();
  const bool asks_help = first == "help" || first == "--help" || first == "-h";
  if (asks_help && (arguments.size() == 1 || arguments[1].starts_with('-'))) {
    print_help(line, console.out);
    return 0;
  }
  if (has_option(arguments, "--version") &&
      (first.starts_with('-') || find_command(line, first) != nullptr)) {
    line.print_version(as_json, console.out);
    return 0;
  }
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (asks_help) {
    if (find_command(line, rest.front()) == nullptr) unknown_command(line, rest.front());
    return dispatch(line, {rest.front(), "--help"}, as_json, console);
  }
  if (first.starts_with('-')) return run_unnamed(line, arguments, console);
  const Command* command = find_command(line, first);
  if (command == nullptr) unknown_command(line, first);
  return command->run(rest, console);
}

Console standard_console() {
  Console console{std::cout, std::cerr};
  console.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  console.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  console.color = console.out_is_terminal && !dumb && (no_color == nullptr || *no_color == '\0');
  winsize size{};
  const bool sized = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  console.width = !console.out_is_terminal ? 0 : sized ? size.ws_col : 80;
  return console;
}

}  // namespace

const Command* find_command(const CommandLine& line, std::string_view name) {
  for (const Command& command : line.commands)
    if (command.name == name) return &command;
  return nullptr;
}

bool is_current_folder_removed() {
  std::error_code error;
  static_cast<void>(std::filesystem::current_path(error));
  return error == std::errc::no_such_file_or_directory;
}

Error current_folder_removed() {
  return {ExitCode::kEnvironment, "the current folder has been removed",
          "change to another; what is named in full (--store /data/tune-store) needs none"};
}

int run_reporting_errors(const CommandLine& line, bool as_json, Console& console,
                         const std::function<int()>& work) {
  try {
    return work();
  } catch (const Error& error) {
    return print_error(error, as_json, console);
  } catch (const std::exception& error) {
    return print_error(error_of(line, error), as_json, console);
  }
}

int run_command_line(const CommandLine& line, const Arguments& arguments, Console& console) {
  const bool as_json = has_option(arguments, "--json");
  return run_reporting_errors(line, as_json, console, [&] {
    const int code = dispatch(line, arguments, as_json, console);
    console.out.flush();
    if (!console.out) throw Error(ExitCode::kEnvironment, "stdout cannot be written: is the disk full?");
    return code;
  });
}

int run_command_line(const CommandLine& line, int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit shows as an error of the write then
  Console console = standard_console();
  return run_command_line(line, Arguments(argv + std::min(argc, 1), argv + argc), console);
}

}  // namespace tune::cli
