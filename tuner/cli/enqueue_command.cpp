// `tune enqueue STUDY`: trials with hyperparameters of one's own, before all others.
#include <iostream>
#include <iterator>

#include "tuner/cli/commands.h"
#include "tuner/cli/points_table.h"
#include "tuner/cli/steer.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/live_study.h"
#include "tuner/os/atomic_file.h"
#include "tuner/report/text/trial_table.h"

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

// The titles of the table of `tune trials STUDY --csv`, as it writes them.
std::vector<std::string> titles_of_trials(const std::filesystem::path& store, const std::string& study) {
  std::vector<std::string> titles;
  for (const report::Column& column :
       report::trial_table(live::read_live_study(store, study), report::TrialColumns::kEverything).columns)
    titles.push_back(visible_text(column.title, LineBreaks::kKeep));
  return titles;
}

}  // namespace

int enqueue_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "enqueue")
                           .positional("STUDY", "the study's name")
                           .value("parameters", "JSON",
                                  "a trial's hyperparameters; those left out are the best trial's, of two "
                                  "objectives the preferred one's")
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
    const Spec spec = steered_spec(*options, study, "enqueue");
    const PointsTable table = read_points_table(text, file == "-" ? "stdin" : file, spec.space,
                                                titles_of_trials(store_folder(*options), study));
    std::string left_out;
    for (const std::string& column : table.left_out)
      left_out += (left_out.empty() ? "" : ", ") + visible_text(column);
    if (!left_out.empty())
      console.err << "left out, since `tune trials` writes them and they are no parameters of " << study
                  << ": " << left_out << '\n';
    asked = {{"points", table.points}, {"places", table.places}};
  }
  return steer(*options, study, "enqueue", std::move(asked), console);
}

}  // namespace tune::cli
