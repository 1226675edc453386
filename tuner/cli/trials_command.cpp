#include <ostream>
#include <utility>
#include <vector>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/number_options.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/live/live_study.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/trial_selection.h"
#include "tuner/report/text/trial_table.h"

namespace tune::cli {
namespace {

report::TrialSelection selection_of(const Parsed& options) {
  report::TrialSelection selection;
  selection.states = options.texts("state");
  selection.conditions = options.texts("filter");
  selection.sort = options.text("sort");
  selection.is_descending = options.has("descending");
  if (const auto limit = count_option(options, "limit")) selection.limit = static_cast<std::size_t>(*limit);
  return selection;
}

report::Table chosen(report::Table table, const std::vector<std::size_t>& places) {
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t place : places) rows.push_back(std::move(table.rows.at(place)));
  table.rows = std::move(rows);
  return table;
}

}  // namespace

int trials_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "trials")
          .positional("STUDY", "the study's name")
          .flag("csv", "every column, exact numbers, RFC 4180")
          .add({"state", "STATE", "only those in this state", false, true})
          .add({"filter", "CONDITION",
                "only those of which it holds: 'lr<1e-3', optimizer=sgd, 'reason~median'", false, true})
          .value("sort", "COLUMN", "by a hyperparameter, a metric, value, seconds, ... [trial]")
          .flag("descending", "the largest first")
          .value("limit", "N", "the first N of them")
          .parse(arguments, console);
  if (!options) return 0;
  if (options->has("csv") && options->has("json"))
    throw Error(ExitCode::kUsage, "--csv and --json exclude each other");
  const report::StudyRows rows = live::read_live_study(store_folder(*options), options->text("STUDY"));
  Json json = report::trials_json(rows);
  const std::vector<std::size_t> places = report::select_trials(json, selection_of(*options));
  if (options->has("json")) {
    Json trials = Json::array();
    for (const std::size_t place : places) trials.push_back(std::move(json["trials"][place]));
    json["trials"] = std::move(trials);
    print_json(json, console);
  } else if (options->has("csv")) {
    console.out << report::csv_table(
        chosen(report::trial_table(rows, report::TrialColumns::kEverything), places));
  } else {
    console.out << report::text_table(
        chosen(report::trial_table(rows, report::TrialColumns::kTerminal), places), console.width);
    if (const report::Table replicates = report::replicate_table(rows); !replicates.rows.empty())
      console.out << "\nOn other seeds:\n" << report::text_table(replicates, console.width);
  }
  return 0;
}

}  // namespace tune::cli
