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
  const TrialReference reference = parse_reference(options->text("STUDY[/N]"));
  Json what = Json::object();
  if (reference.trial > 0) what["trial"] = reference.trial;
  return steer(*options, reference.study, "stop", std::move(what), console);
}

}  // namespace tune::cli
