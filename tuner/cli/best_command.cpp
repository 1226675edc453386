// `tune best STUDY`: the best trial, and which hyperparameters made the difference.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/importance_text.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/live/study_importance.h"
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
  const std::optional<report::StudyFront> front = report::study_front(rows);
  const auto best = report::best_trial(rows);
  const bool is_any = front ? !front->trials.empty() : best.has_value();
  // As JSON the answer has one form, with a best trial or without.
  if (!is_any && !options->has("json"))
    throw Error(ExitCode::kNotFound, "no trial of " + rows.study.name + " has completed with a value",
                "`tune trials " + rows.study.name + "` shows how they ended");
  const auto space = report::stored_space(rows.study);
  const History history = study.load_history();
  const strategies::Importance importance = live::study_importance(space, history);
  const auto of_second = live::second_importance(space, history);
  if (options->has("json")) {
    Json json = report::best_json(best);
    json["schema"] = 1;
    json["cut"] = best && !best->cut.empty() ? Json(best->cut) : Json();
    json["edges"] = report::edges_json(report::best_edges(rows));
    json["replicates"] = best ? report::replicates_json(rows, best->number) : Json();
    json["fixed"] = report::fixed_values(rows.study);
    json["importance"] = importance_json(importance);
    if (of_second) json["second_importance"] = importance_json(*of_second);
    if (front) {
      json["objectives"] = report::objectives_json(*front);
      json["front"] = report::front_json(*front);
      json["prefer"] =
          front->preference ? Json(preference_text(*front->preference, front->objectives)) : Json();
    }
    print_json(json, console);
  } else {
    console.out << report::best_text(rows, console.width)
                << importance_text(importance, front ? " of " + rows.study.objective.metric : "")
                << (of_second ? importance_text(*of_second, " of " + rows.study.second->metric) : "");
  }
  return static_cast<int>(is_any ? ExitCode::kOk : ExitCode::kNotFound);
}

}  // namespace tune::cli
