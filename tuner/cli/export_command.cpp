// `tune export`: a version of a model for other programs. --format says of what it is.
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/export_model.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {

int export_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "export")
          .positional("NAME", "MODEL, the version of its alias current; MODEL@3; MODEL@champion")
          .add({"format", "FORMAT",
                "dir: a folder; tar.gz: one archive, whose bytes depend on the version alone", true})
          .value("output", "FILE", "what is written; it must not be there")
          .parse(arguments, console);
  if (!options) return 0;
  const std::string format = options->text("format");
  if (!is_model_format(format))
    throw Error(ExitCode::kUsage, "there is no format " + in_quotes(format),
                name_hint(format, {"dir", "tar.gz"}, "valid are"));
  return export_model(*options, options->text("NAME"), format, console);
}

}  // namespace tune::cli
