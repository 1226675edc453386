// `tune set STUDY`: other limits, also while the study runs.
#include "tuner/cli/commands.h"
#include "tuner/cli/limit_options.h"
#include "tuner/cli/steer.h"
#include "tuner/core/error.h"

namespace tune::cli {

int set_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "set");
  declared.positional("STUDY", "the study's name");
  const auto options = declare_totals(declared).parse(arguments, console);
  if (!options) return 0;
  const Json limits = limits_json(limits_given(*options));
  if (limits.empty())
    throw Error(ExitCode::kUsage, "there is no limit to set",
                "for example: tune set STUDY --trials 40 --parallel 4");
  return steer(*options, options->text("STUDY"), "set", limits, console);
}

}  // namespace tune::cli
