#include <ostream>
#include <string>
#include <vector>

#include "tuner/billing/neighbours.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/shell_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/live_study.h"
#include "tuner/live/started_command.h"
#include "tuner/os/held_locks.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/trial_report.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// How the last attempt was started.
std::vector<std::string> command_of(const fs::path& study_folder, const report::TrialRows& rows) {
  if (rows.attempts.empty()) return {};
  return live::started_command(
             attempt_folder(study_folder, {rows.trial.number, rows.attempts.back().attempt}))
      .argv;
}

std::string difference_text(const std::optional<store::TrialRow>& best, const Json& differences) {
  if (differences.empty()) return {};
  const auto text = [](const Json& value) {
    return value.is_null() ? std::string("none") : report::parameter_text(value);
  };
  std::string line;
  for (const Json& one : differences)
    line += (line.empty() ? "" : ", ") + one["name"].get<std::string>() + ' ' + text(one["value"]) +
            " (there " + text(one["best"]) + ")";
  return "\nOther than in the best, trial " + std::to_string(best->number) + ": " + visible_text(line) + '\n';
}

}  // namespace

int show_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "show")
                           .positional("STUDY/N", "trial N of a study, for example steel-legacy/3")
                           .parse(arguments, console);
  if (!options) return 0;
  const TrialReference reference = parse_trial_reference(options->text("STUDY/N"));
  const auto store_path = store_folder(*options);
  const store::StudyStore store = open_study_for_reading(store_path, reference.study);
  auto rows = report::read_trial(store, reference.trial);
  if (!rows) throw unknown_trial(store, reference);
  const bool live = is_locked(study_lock(study_folder(store_path, reference.study)));
  const WallTime now = SystemClock().wall_now();
  if (live)
    for (auto* attempts : {&rows->attempts, &rows->others}) report::bill_running(*attempts, now);
  if (billing::may_share_gpus(rows->study))
    rows->neighbours = billing::attempts_beside(store_path, reference.study, rows->attempts, now);
  const report::StudyRows study = live::read_live_study(store_path, reference.study);
  rows->console_state = report::console_state(study, rows->trial);
  const std::optional<store::TrialRow> best = report::best_trial(study);
  const Json differences =
      best ? report::parameter_differences(rows->trial.parameters, best->parameters) : Json::array();
  const std::vector<std::string> command = command_of(study_folder(store_path, reference.study), *rows);
  const std::string folder = trial_folder(store_path, reference).string();
  if (options->has("json")) {
    Json json = report::trial_details_json(*rows);
    json["folder"] = folder;
    json["best"] = best ? Json(best->number) : Json();
    json["other_than_best"] = differences;
    json["command"] = command;
    print_json(json, console);
    return 0;
  }
  console.out << report::trial_text(*rows, console.width) << difference_text(best, differences);
  if (!command.empty()) console.out << "\nCommand: " << visible_text(shell_text(command)) << '\n';
  // A trial that somebody else's program runs (ask and tell) has none.
  if (std::error_code unknown; std::filesystem::exists(folder, unknown))
    console.out << "\nFiles: " << folder << '\n';
  return 0;
}

}  // namespace tune::cli
