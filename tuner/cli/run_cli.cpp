// Picks a command, runs it, and prints what went wrong.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <new>
#include <system_error>

#include "tuner/cli/command.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {
namespace {

constexpr const char* kOurBug = "this is a bug in tune; the study itself is safe and can be continued";

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
    const Json json{{"schema", 1}, {"error", body}};
    console.err << visible_text(json.dump(-1, ' ', false, Json::error_handler_t::replace)) << '\n';
  } else {
    console.err << "error: " << visible_text(error.what(), LineBreaks::kKeep) << '\n';
    if (!hint.empty()) console.err << "  " << visible_text(hint, LineBreaks::kKeep) << '\n';
  }
  console.err.flush();
  return static_cast<int>(error.code());
}

// What the system refused: its limits are the environment's matter, anything else would be ours.
Error system_refusal(int reason, const std::string& what) {
  if (reason == EMFILE || reason == ENFILE)
    return {ExitCode::kEnvironment, "the system gives tune no more files: " + what, kMoreFiles};
  if (reason == EAGAIN)
    return {ExitCode::kEnvironment, "the system gives tune no more threads or processes: " + what,
            "raise the limit (`ulimit -u`), or run fewer trials at once"};
  if (reason == ENOMEM)
    return {ExitCode::kEnvironment, "there is not enough memory: " + what,
            "raise the limit (`ulimit -v`), or run fewer trials at once"};
  if (reason == EACCES || reason == EPERM || reason == EROFS)
    return {ExitCode::kEnvironment, "the system refuses it: " + what,
            "check the rights of that file or folder"};
  if (is_disk_full(reason)) return DiskFull(what);
  if (reason == ENOENT && is_current_folder_removed()) return current_folder_removed();
  return {ExitCode::kInternal, "internal error: " + what, kOurBug};
}

std::string exit_code_help() {
  return "Exit codes: 0 ok, 1 finished but nothing to promote, 2 usage, 3 bad spec, 5 not found, 6 "
         "conflict,\n"
         "7 environment, 8 every trial failed, 70 internal error, 130 interrupted.\n";
}

void print_help(std::ostream& out) {
  out << "tune: searches hyperparameters by launching training runs in parallel, and promotes the best "
         "model.\n\n"
         "Usage: tune --spec FILE [options]\n"
         "       tune COMMAND [arguments] [options]\n\n"
         "Commands:\n";
  std::size_t widest = 0;
  for (const Command& command : command_table()) widest = std::max(widest, command.name.size());
  for (const Command& command : command_table())
    out << "  " << command.name << std::string(widest + 3 - command.name.size(), ' ') << command.summary
        << '\n';
  out << "\n`tune COMMAND --help` explains one of them. Options of every command:\n"
         "  --store DIR    the folder of studies and models [$TUNE_STORE, else ./tune-store]\n"
         "  --json         JSON with a schema version on stdout; errors as JSON on stderr\n"
         "  --version      the program's version\n"
         "The first two may also stand before the command.\n\n"
         "Colours are left out when NO_COLOR is set or the output is not a terminal.\n"
      << exit_code_help()
      << "\nExample:\n"
         "  tune --spec search.json\n"
         "  tune best steel-legacy\n";
}

void print_version(bool as_json, std::ostream& out) {
  if (as_json)
    out << Json{{"schema", 1}, {"program", "tune"}, {"version", TUNE_VERSION}}.dump() << '\n';
  else
    out << "tune " TUNE_VERSION "\n";
}

[[noreturn]] void unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : command_table()) names.emplace_back(command.name);
  if (name.ends_with(".json"))
    throw Error(ExitCode::kUsage, "\"" + name + "\" is no command, but looks like a spec",
                "`tune --spec " + name + "` runs it");
  const auto guess = nearest_name(name, names);
  throw Error(ExitCode::kUsage, "there is no command \"" + name + "\"",
              guess ? "did you mean `tune " + *guess + "`?" : "see `tune --help`");
}

// How many of the first arguments are options of every command, with their values.
std::size_t common_options(const std::vector<std::string>& arguments) {
  std::size_t count = 0;
  while (count < arguments.size()) {
    const std::string& argument = arguments[count];
    if (argument == "--json" || argument.starts_with("--store="))
      count += 1;
    else if (argument == "--store")
      count += 2;
    else
      break;
  }
  return std::min(count, arguments.size());
}

// The command that somebody wrote behind its options; nullptr when none is named.
const Command* named_behind(const std::vector<std::string>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i)
    if (const Command* command = find_command(arguments[i])) return command;
  return nullptr;
}

// `tune --spec FILE` is the command `run`.
int run_unnamed(const std::vector<std::string>& arguments, Console& console) {
  try {
    return find_command("run")->run(arguments, console);
  } catch (const Error& error) {
    const Command* meant = error.code() == ExitCode::kUsage ? named_behind(arguments) : nullptr;
    if (meant == nullptr) throw;
    const std::string name(meant->name);
    throw Error(ExitCode::kUsage, error.what(),
                "the options of a command stand behind its name: `tune " + name + " ...`; see `tune " + name +
                    " --help`");
  }
}

int dispatch(const std::vector<std::string>& given, bool as_json, Console& console) {
  // `tune --store DIR status` is `tune status --store DIR`.
  std::vector<std::string> arguments = given;
  const std::size_t common = common_options(given);
  if (common < given.size() && !given[common].starts_with('-'))
    std::rotate(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(common),
                arguments.begin() + static_cast<std::ptrdiff_t>(common) + 1);
  if (arguments.empty()) {
    print_help(console.err);
    return static_cast<int>(ExitCode::kUsage);
  }
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || (first == "help" && arguments.size() == 1)) {
    print_help(console.out);
    return 0;
  }
  if (std::find(arguments.begin(), arguments.end(), "--version") != arguments.end() &&
      first.starts_with('-')) {
    print_version(as_json, console.out);
    return 0;
  }
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (first == "help") {
    if (find_command(rest.front()) == nullptr) unknown_command(rest.front());
    return dispatch({rest.front(), "--help"}, as_json, console);
  }
  if (first.starts_with('-')) return run_unnamed(arguments, console);
  const Command* command = find_command(first);
  if (command == nullptr) unknown_command(first);
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

int run_cli(const std::vector<std::string>& arguments, Console& console) {
  const bool as_json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  try {
    const int code = dispatch(arguments, as_json, console);
    console.out.flush();
    if (!console.out) throw Error(ExitCode::kEnvironment, "stdout cannot be written: is the disk full?");
    return code;
  } catch (const Error& error) {
    return print_error(error, as_json, console);
  } catch (const std::bad_alloc&) {
    return print_error(Error(ExitCode::kEnvironment, "there is not enough memory"), as_json, console);
  } catch (const std::system_error& error) {
    return print_error(system_refusal(error.code().value(), error.what()), as_json, console);
  } catch (const boost::system::system_error& error) {
    return print_error(system_refusal(error.code().value(), error.what()), as_json, console);
  } catch (const std::exception& error) {
    return print_error(Error(ExitCode::kInternal, std::string("internal error: ") + error.what(), kOurBug),
                       as_json, console);
  }
}

int run_cli(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit shows as an error of the write then
  Console console = standard_console();
  return run_cli(std::vector<std::string>(argv + std::min(argc, 1), argv + argc), console);
}

}  // namespace tune::cli
