#pragma once
// How an attempt of a trial was started, for people who want to start it by hand.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::live {

struct StartedCommand {
  std::vector<std::string> argv;  // empty: another program has run the trial, or its files are gone
  std::string working_directory;
};

// As the attempt's launch.json says. Variables of the environment are not in it.
StartedCommand started_command(const std::filesystem::path& attempt_folder);
// "cd FOLDER && PROGRAM ARGUMENT...", as a shell takes it; empty without a command.
std::string shell_text(const StartedCommand& command);

}  // namespace tune::live
