#include "tuner/engine/attempt/set_up_check.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tuner/spec/placeholder.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultPath = "/bin:/usr/bin";  // execvp's, where PATH is not set
constexpr std::array kScriptEndings{".py", ".sh", ".bash", ".R",   ".r",  ".jl",
                                    ".pl", ".rb", ".js",   ".lua", ".jar"};

bool has_script_ending(const std::string& argument) {
  return std::any_of(kScriptEndings.begin(), kScriptEndings.end(),
                     [&](const char* ending) { return argument.ends_with(ending); });
}

std::string trial_path(const Spec& spec) {
  const auto own = spec.environment.find("PATH");
  if (own != spec.environment.end()) {
    if (const auto* text = std::get_if<std::string>(&own->second)) return *text;
    const char* other = std::getenv(std::get<FromEnvironment>(own->second).variable.c_str());
    return other ? other : kDefaultPath;
  }
  const char* path = std::getenv("PATH");
  return path ? path : kDefaultPath;
}

bool is_executable(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0;
}

class SetUpCheck {
 public:
  explicit SetUpCheck(const Spec& spec) : spec_(spec), path_(trial_path(spec)) {}

  SetUpProblems run() {
    if (spec_.command.empty() || !check_folder()) return std::move(problems_);
    check_program();
    for (std::size_t i = 1; i < spec_.command.size(); ++i) check_argument(i);
    return std::move(problems_);
  }

 private:
  bool check_folder() {
    std::error_code error;
    const bool is_folder = fs::is_directory(spec_.folder, error);
    if (is_folder && ::access(spec_.folder.c_str(), X_OK) == 0) return true;
    const int reason = is_folder                         ? errno
                       : error                           ? error.value()
                       : fs::exists(spec_.folder, error) ? ENOTDIR
                                                         : ENOENT;
    fatal("/command",
          "the folder of the spec, where its commands start, cannot be entered: " + spec_.folder.string() +
              ": " + std::strerror(reason),
          "put it back; or run `tune --spec FILE` with the spec where it lies now");
    return false;
  }

  void check_program() {
    const std::string& program = spec_.command.front();
    std::error_code ignored;
    if (program.find(' ') != std::string::npos && !fs::exists(spec_.folder / program, ignored))
      return fatal(kProgram, "the first element of the command, \"" + program + "\", is the program's name",
                   "each argument is an element of its own, and no shell cuts them: [\"python3\", "
                   "\"train.py\", \"--lr={{lr}}\"]");
    if (!find_placeholders(program).empty()) return;
    if (program.find('/') != std::string::npos) {
      const fs::path file = (spec_.folder / program).lexically_normal();
      std::error_code error;
      if (!fs::exists(file, error))
        return fatal(kProgram, "there is no program " + file.string(),
                     "a relative path starts in the spec's folder");
      if (fs::is_directory(file, error))
        return fatal(kProgram, file.string() + " is a folder", "name the program in it");
      if (!is_executable(file))
        return fatal(kProgram, file.string() + " may not be executed",
                     "chmod +x " + program + ", or name its interpreter first: [\"python3\", \"" + program +
                         "\", ...]");
      return check_interpreter(file);
    }
    const auto found = on_path(program);
    if (found) return check_interpreter(*found);
    fatal(kProgram, "there is no program \"" + program + "\" on the trials' PATH (" + path_ + ")",
          fs::exists(spec_.folder / program, ignored) ? "it lies beside the spec: write \"./" + program + "\""
                                                      : "install it, or activate its environment first; "
                                                        "\"environment\": {\"PATH\": ...} in the spec sets "
                                                        "another path");
  }

  // Looks at the program that a script's first line names.
  void check_interpreter(const fs::path& file) {
    std::array<char, 256> start{};
    std::ifstream(file, std::ios::binary).read(start.data(), start.size() - 1);
    std::string line(start.data(), ::strnlen(start.data(), start.size()));
    if (!line.starts_with("#!")) return;
    line.resize(std::min(line.size(), line.find('\n')));
    if (line.ends_with('\r'))
      return fatal(kProgram, file.string() + " has Windows line ends, so its interpreter cannot be found",
                   "sed -i 's/\\r$//' " + file.string());
    std::istringstream words(line.substr(2));
    std::string interpreter, argument;
    words >> interpreter >> argument;
    if (interpreter.empty()) return;
    if (!is_executable(spec_.folder / interpreter))
      return fatal(kProgram,
                   "the interpreter that the first line of " + file.string() + " names, " + interpreter +
                       ", is not there or may not be executed",
                   "install it, or change that line");
    const bool is_env = fs::path(interpreter).filename() == "env";
    const bool is_plain = !argument.empty() && argument.find_first_of("-=") == std::string::npos;
    if (is_env && is_plain && !on_path(argument))
      fatal(kProgram,
            "the interpreter that the first line of " + file.string() + " names, " + argument +
                ", is not on the trials' PATH (" + path_ + ")",
            "install it, or activate its environment first");
  }

  void check_argument(std::size_t i) {
    const std::string& argument = spec_.command[i];
    const std::string& before = spec_.command[i - 1];
    const bool is_text = argument.empty() || argument.front() == '-' ||
                         argument.find_first_of(" \t\n;*=") != std::string::npos ||
                         argument.find("://") != std::string::npos || !find_placeholders(argument).empty();
    if (is_text || before == "-c" || before == "-m") return;
    // What stands behind an option may be a file that is yet to be written.
    const bool is_path = argument.find('/') != std::string::npos &&
                         (i == 1 || argument.front() == '/' || argument.front() == '.') &&
                         before.front() != '-';
    if (!has_script_ending(argument) && !is_path) return;
    std::error_code ignored;
    if (fs::exists(spec_.folder / argument, ignored)) return;
    problems_.warnings.push_back({0, 0, "/command/" + std::to_string(i),
                                  "there is no file " + (spec_.folder / argument).lexically_normal().string(),
                                  "a relative path starts in the spec's folder"});
  }

  std::optional<fs::path> on_path(const std::string& program) const {
    std::istringstream folders(path_);
    for (std::string folder; std::getline(folders, folder, ':');) {
      // An empty entry is the working directory; a relative one starts there.
      const fs::path file = spec_.folder / folder / program;
      if (is_executable(file)) return file;
    }
    return std::nullopt;
  }

  void fatal(const char* pointer, std::string message, std::string hint) {
    problems_.fatal.push_back({0, 0, pointer, std::move(message), std::move(hint)});
  }

  static constexpr const char* kProgram = "/command/0";
  const Spec& spec_;
  const std::string path_;
  SetUpProblems problems_;
};

}  // namespace

SetUpProblems set_up_problems(const Spec& spec) { return SetUpCheck(spec).run(); }

SetUp::SetUp(const Spec& spec) : spec_(spec) {
  SetUpProblems problems = set_up_problems(spec);
  if (!problems.fatal.empty())
    throw Error(ExitCode::kEnvironment, problems.fatal.front().message, problems.fatal.front().hint);
  warnings_ = std::move(problems.warnings);
}

std::optional<Fault> SetUp::fault() const {
  SetUpProblems problems = set_up_problems(spec_);
  if (!problems.fatal.empty())
    return Fault{Fault::Kind::kSetUp, problems.fatal.front().message, problems.fatal.front().hint};
  for (const Problem& missing : problems.warnings) {
    const bool was_missing = std::any_of(warnings_.begin(), warnings_.end(), [&](const Problem& known) {
      return known.pointer == missing.pointer;
    });
    // What the script works on may come and go.
    const std::size_t place = std::stoul(missing.pointer.substr(missing.pointer.rfind('/') + 1));
    const bool is_script = place == 1 || has_script_ending(spec_.command[place]);
    if (is_script && !was_missing)
      return Fault{Fault::Kind::kSetUp, missing.message + " any more", missing.hint};
  }
  return std::nullopt;
}

}  // namespace tune::engine
