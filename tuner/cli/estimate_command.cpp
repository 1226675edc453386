// `tune estimate SPEC`: memory, storage, time and cost of a search, before it begins.
#include <ostream>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/estimate_text.h"
#include "tuner/cli/gpu_options.h"
#include "tuner/cli/store_path.h"

namespace tune::cli {

int estimate_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "estimate");
  declared.positional("SPEC", "the spec, search.json")
      .add({"seconds", "S", "time for steps that are timed, for each trial that is asked about", false, false,
            "3"});
  const auto options = declare_gpus(declared).parse(arguments, console);
  if (!options) return 0;
  choose_gpus(*options);
  const CheckedSpec checked = read_checked_spec(options->text("SPEC"));
  if (!options->has("json")) print_warnings(checked.spec, console.err);
  if (!checked.trainer) {
    if (options->has("json"))
      print_ordered(bounds_json(checked.spec), console);
    else
      print_bounds(checked.spec, console.out);
    return 0;
  }
  constexpr double kMostSeconds = 3600;
  const auto estimate =
      estimate_search(checked.spec, *checked.trainer,
                      {store_folder(*options), *options->number("seconds", 0, kMostSeconds)}, console);
  if (!estimate) return static_cast<int>(ExitCode::kInterrupted);
  if (options->has("json"))
    print_ordered(to_json(checked.spec, *estimate), console);
  else
    print_estimate(checked.spec, *estimate, console.out);
  return 0;
}

}  // namespace tune::cli
