#include "tuner/live/started_command.h"

#include <cstdint>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/shell_text.h"
#include "tuner/os/regular_file.h"

namespace tune::live {
namespace {

// Bytes: as much as a command line may have, and its regexes.
constexpr std::uint64_t kMostLaunch = 16U << 20U;

}  // namespace

StartedCommand started_command(const std::filesystem::path& attempt_folder) {
  const JsonFile launch = read_json_file(attempt_folder / kLaunchFile, kMostLaunch);
  if (!launch.is_there || !launch.value.is_object()) return {};
  StartedCommand command;
  const Json argv = launch.value.value("argv", Json());
  if (!argv.is_array()) return {};
  for (const Json& word : argv) {
    if (!word.is_string()) return {};
    command.argv.push_back(word.get<std::string>());
  }
  if (const auto folder = launch.value.find("working_directory");
      folder != launch.value.end() && folder->is_string())
    command.working_directory = folder->get<std::string>();
  return command;
}

std::string shell_text(const StartedCommand& command) {
  if (command.argv.empty()) return {};
  const std::string start =
      command.working_directory.empty() ? "" : "cd " + shell_word(command.working_directory) + " && ";
  return start + tune::shell_text(command.argv);
}

}  // namespace tune::live
