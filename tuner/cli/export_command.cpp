// `tune export`: a study or a version of a model for other programs. --format says of what it is.
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/export_model.h"
#include "tuner/cli/export_study.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {

int export_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "export")
          .positional("STUDY|MODEL[@V]",
                      "a study; or a model: MODEL, the version of its alias current, MODEL@3, MODEL@champion")
          .add({"format", "FORMAT",
                "of a study: csv (its trials), json (all of it), optuna (a storage file), tensorboard (a "
                "folder); of a model: dir, a folder, or tar.gz, one archive, whose bytes depend on the "
                "version alone",
                true})
          .value("output", "FILE", "what is written; it must not be there [stdout, of csv and json]")
          .parse(arguments, console);
  if (!options) return 0;
  const std::string format = options->text("format"), name = options->text("STUDY|MODEL[@V]");
  if (is_study_format(format)) return export_study(*options, name, format, console);
  if (is_model_format(format)) return export_model(*options, name, format, console);
  throw Error(ExitCode::kUsage, "there is no format " + in_quotes(format),
              name_hint(format, {"csv", "json", "optuna", "tensorboard", "dir", "tar.gz"}, "valid are"));
}

}  // namespace tune::cli
