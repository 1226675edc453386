// `tune enqueue STUDY`: trials with hyperparameters of one's own, before all others.
#include <iostream>
#include <iterator>

#include "tuner/cli/commands.h"
#include "tuner/cli/points_table.h"
#include "tuner/cli/steer.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::cli {
namespace {

Json point_of(const std::string& text) {
  const BoundedJson point = parse_bounded_json(text);
  if (!point.problem.empty() || !point.value.is_object())
    throw Error(ExitCode::kUsage,
                "--parameters takes a JSON object" + (point.problem.empty() ? "" : ": " + point.problem),
                "for example --parameters '{\"learning_rate\": 0.001}'");
  return point.value;
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
  Json points = Json::array();
  if (options->has("parameters")) {
    points.push_back(point_of(options->text("parameters")));
  } else {
    const std::string file = options->text("csv");
    const std::string text =
        file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(file);
    const store::StudyStore stored = open_study_for_reading(store_folder(*options), study);
    const PointsTable table = read_points_table(text, file, stored.study().spec.at("parameters"));
    for (const std::string& column : table.left_out)
      console.err << "the column \"" << column << "\" is no parameter of " << study << ", and is left out\n";
    points = table.points;
  }
  return steer(*options, study, "enqueue", {{"points", points}}, console);
}

}  // namespace tune::cli
