// `tune export STUDY --format FORMAT --output FILE`: what a study holds, for other tools.
#include "tuner/cli/commands.h"
#include "tuner/cli/export_study.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {

int export_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "export")
                           .positional("NAME", "the study")
                           .add({"format", "FORMAT",
                                 "of a study: csv (its trials), json (all of it), optuna (a storage file), "
                                 "tensorboard (a folder)",
                                 true, false})
                           .value("output", "FILE", "write there [stdout, of csv and json]")
                           .parse(arguments, console);
  if (!options) return 0;
  const std::string format = options->text("format");
  if (!is_study_format(format))
    throw Error(ExitCode::kUsage, "there is no format " + in_quotes(format),
                "of a study there are csv, json, optuna and tensorboard");
  return export_study(*options, options->text("NAME"), format, console);
}

}  // namespace tune::cli
