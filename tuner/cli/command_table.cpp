#include "tuner/cli/command.h"
#include "tuner/cli/commands.h"

namespace tune::cli {

const std::vector<Command>& command_table() {
  // A row a command; a row is added together with its tuner/cli/NAME_command.cpp.
  static const std::vector<Command> table = {};
  return table;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : command_table())
    if (command.name == name) return &command;
  return nullptr;
}

}  // namespace tune::cli
