// `tune rerun STUDY/N`: repeats a trial exactly, to see whether it comes to the same.
#include "tuner/cli/commands.h"
#include "tuner/cli/steer.h"
#include "tuner/cli/store_path.h"

namespace tune::cli {

int rerun_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "rerun").positional("STUDY/N", "the trial to repeat").parse(arguments, console);
  if (!options) return 0;
  const TrialReference reference = parse_trial_reference(options->text("STUDY/N"));
  return steer(*options, reference.study, "rerun", {{"trial", reference.trial}}, console);
}

}  // namespace tune::cli
