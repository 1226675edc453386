// `tune enqueue STUDY`: trials with hyperparameters of one's own, before all others.
#include <iostream>
#include <iterator>

#include "tuner/cli/commands.h"
#include "tuner/cli/points_table.h"
#include "tuner/cli/steer.h"
#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"

namespace tune::cli {
namespace {

Json point_of(const std::string& text) {
  const PositionedJson point = parse_with_positions(text, "--parameters");
  if (point.is_complete && point.problems.empty() && point.value.is_object()) return Json(point.value);
  throw Error(
      ExitCode::kUsage,
      "--parameters takes a JSON object" + (point.problems.empty() ? "" : ": " + point.problems[0].message),
      "for example --parameters '{\"learning_rate\": 0.001}'");
}

}  // namespace

int enqueue_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "enqueue")
          .positional("STUDY", "the study's name")
          .value("parameters", "JSON", "a trial's hyperparameters; those left out are the best trial's")
          .value("csv", "FILE", "a trial a row, a hyperparameter a column; - reads stdin")
          .parse(arguments, console);
  if (!options) return 0;
  if (options->has("parameters") == options->has("csv"))
    throw Error(ExitCode::kUsage, "enqueue takes either --parameters or --csv",
                "for example: tune enqueue STUDY --parameters '{\"learning_rate\": 0.001}'");
  const std::string study = options->text("STUDY");
  Json asked;
  if (options->has("parameters")) {
    asked["points"] = {point_of(options->text("parameters"))};
  } else {
    const std::string file = options->text("csv");
    const std::string text =
        file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(file);
    const PointsTable table =
        read_points_table(text, file == "-" ? "stdin" : file, steered_spec(*options, study).space);
    for (const std::string& column : table.left_out)
      console.err << "the column \"" << visible_text(column) << "\" is no parameter of " << study
                  << ", and is left out\n";
    asked = {{"points", table.points}, {"places", table.places}};
  }
  return steer(*options, study, "enqueue", std::move(asked), console);
}

}  // namespace tune::cli
