// `tune pause STUDY`: nothing new is begun until `tune continue STUDY`.
#include "tuner/cli/commands.h"
#include "tuner/cli/steer.h"

namespace tune::cli {

int pause_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "pause").positional("STUDY", "the study's name").parse(arguments, console);
  return options ? steer(*options, options->text("STUDY"), "pause", Json::object(), console) : 0;
}

}  // namespace tune::cli
