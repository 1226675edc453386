// `tune stop STUDY[/N]`: interrupts a study that runs elsewhere, or ends one of its trials.
#include "tuner/cli/commands.h"
#include "tuner/cli/steer.h"
#include "tuner/cli/store_path.h"

namespace tune::cli {

int stop_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "stop")
                           .positional("STUDY[/N]", "the study, or one of its trials")
                           .parse(arguments, console);
  if (!options) return 0;
  const std::string what = options->text("STUDY[/N]");
  if (what.find('/') == std::string::npos) return steer(*options, what, "stop", Json::object(), console);
  const TrialReference reference = parse_trial_reference(what);
  return steer(*options, reference.study, "stop", {{"trial", reference.trial}}, console);
}

}  // namespace tune::cli
