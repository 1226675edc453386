// `tune continue STUDY`: trials are begun again after `tune pause STUDY`.
#include "tuner/cli/commands.h"
#include "tuner/cli/steer.h"

namespace tune::cli {

int continue_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "continue").positional("STUDY", "the study's name").parse(arguments, console);
  return options ? steer(*options, options->text("STUDY"), "continue", Json::object(), console) : 0;
}

}  // namespace tune::cli
