// `tune best STUDY`: the best trial, and which hyperparameters made the difference.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/importance_text.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/edge_text.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_table.h"

namespace tune::cli {

int best_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "best").positional("STUDY", "the study's name").parse(arguments, console);
  if (!options) return 0;
  const store::StudyStore study = open_study_for_reading(store_folder(*options), options->text("STUDY"));
  const report::StudyRows rows = report::read_study(study);
  const auto best = report::best_trial(rows.trials, rows.study.objective);
  // As JSON the answer has one form, with a best trial or without.
  if (!best && !options->has("json"))
    throw Error(ExitCode::kNotFound, "no trial of " + rows.study.name + " has completed with a value",
                "`tune trials " + rows.study.name + "` shows how they ended");
  const strategies::Importance importance = study_importance(study);
  if (options->has("json")) {
    Json json = report::best_json(best);
    json["schema"] = 1;
    json["cut"] = best && !best->cut.empty() ? Json(best->cut) : Json();
    json["edges"] = report::edges_json(report::best_edges(rows));
    json["replicates"] = best ? report::replicates_json(rows, best->number) : Json();
    json["fixed"] = report::fixed_values(rows.study);
    json["importance"] = importance_json(importance);
    print_json(json, console);
  } else {
    console.out << report::best_text(rows) << importance_text(importance);
  }
  return static_cast<int>(best ? ExitCode::kOk : ExitCode::kNotFound);
}

}  // namespace tune::cli
