#include <ostream>

#include "store/store_listing.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/live_study.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/table.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

struct Unreadable {
  std::string study, message;
};

struct Listed {
  std::string folder;  // the name that commands take
  report::StudyRows rows;
  bool is_copy() const { return folder != rows.study.name; }
};

report::Table overview(const std::vector<Listed>& studies) {
  using report::Align;
  report::Table table;
  table.columns = {{"study"},
                   {"state"},
                   {"console"},
                   {"trials"},
                   {"best", Align::kRight},
                   {"trial", Align::kRight},
                   {"metric"},
                   {"time", Align::kRight}};
  for (const Listed& listed : studies) {
    const report::StudyRows& rows = listed.rows;
    const auto best = report::best_trial(rows);
    table.rows.push_back(
        {listed.is_copy() ? listed.folder + " (holds " + rows.study.name + ")" : listed.folder,
         to_string(rows.study.state), report::console_state(rows),
         report::counts_text(report::count_trials(rows.trials)), best ? report::value_text(*best) : "",
         best ? std::to_string(best->number) : "", rows.study.objective.metric,
         report::seconds_text(rows.study.elapsed_seconds)});
  }
  return table;
}

// A store that somebody named should be there. The one that nobody named is made by the first run.
void require_store(const fs::path& store, bool is_named) {
  std::error_code ignored;
  if (!is_named || fs::is_directory(store, ignored)) return;
  throw Error(ExitCode::kNotFound, "there is no store at " + store.string(),
              "--store or $TUNE_STORE names the folder in which `tune --spec` keeps its studies");
}

int list_studies(const fs::path& store, bool as_json, Console& console) {
  std::vector<Listed> studies;
  std::vector<Unreadable> unreadable;
  for (const std::string& name : store::study_names(store)) {
    // One damaged file must not hide the other studies.
    try {
      studies.push_back({name, live::read_live_study(store, name)});
    } catch (const Error& error) {
      unreadable.push_back({name, error.what()});
    }
  }
  if (as_json) {
    Json list = Json::array(), warnings = Json::array();
    for (const Listed& listed : studies) {
      list.push_back(report::status_json(listed.rows));
      list.back().erase("schema");
      if (listed.is_copy()) list.back()["folder"] = listed.folder;
    }
    for (const auto& [study, message] : unreadable)
      warnings.push_back({{"study", study}, {"message", message}});
    print_json({{"schema", 1}, {"studies", list}, {"warnings", warnings}}, console);
    return 0;
  }
  if (studies.empty() && unreadable.empty())
    console.out << "no studies yet in " << visible_text(store.string()) << '\n';
  if (!studies.empty()) console.out << report::text_table(overview(studies), console.width);
  for (const auto& [study, message] : unreadable)
    console.err << "warning: " << visible_text(study) << ": " << visible_text(message) << '\n';
  return 0;
}

}  // namespace

int status_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "status")
                           .positional("STUDY", "one study [all of the store]", false)
                           .parse(arguments, console);
  if (!options) return 0;
  const fs::path store = store_folder(*options);
  require_store(store, is_store_named(*options));
  if (!options->has("STUDY")) return list_studies(store, options->has("json"), console);
  const report::StudyRows rows = live::read_live_study(store, options->text("STUDY"));
  if (options->has("json"))
    print_json(report::status_json(rows), console);
  else
    console.out << report::status_text(rows, console.width);
  return 0;
}

}  // namespace tune::cli
