#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "tuner/billing/neighbours.h"
#include "tuner/cli/command_forms.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/live_study.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/regular_file.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/trial_report.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// Bytes: as much as a command line may have, and its regexes.
constexpr std::uint64_t kMostLaunch = 16U << 20U;

// How the last attempt was started; empty where somebody else's program has run the trial, or its files are
// gone. Variables of the environment are not in it.
std::vector<std::string> command_of(const fs::path& study_folder, const report::TrialRows& rows) {
  if (rows.attempts.empty()) return {};
  const fs::path folder = attempt_folder(study_folder, {rows.trial.number, rows.attempts.back().attempt});
  const JsonFile launch = read_json_file(folder / kLaunchFile, kMostLaunch);
  if (!launch.is_there || !launch.value.is_object()) return {};
  std::vector<std::string> command;
  for (const Json& word : launch.value.value("argv", Json::array()))
    if (word.is_string()) command.push_back(word.get<std::string>());
  return command;
}

// [{"name": "lr", "value": 0.1, "best": 0.01}]: what the trial and the best one do not have in common.
Json difference_from(const std::optional<store::TrialRow>& best, const store::TrialRow& trial) {
  Json list = Json::array();
  if (!best || best->number == trial.number) return list;
  ParameterSet names = trial.parameters;
  names.insert(best->parameters.begin(), best->parameters.end());
  const auto value_in = [](const ParameterSet& set, const std::string& name) {
    const auto found = set.find(name);
    return found == set.end() ? Json() : found->second;
  };
  for (const auto& [name, value] : names)
    if (const Json own = value_in(trial.parameters, name), its = value_in(best->parameters, name); own != its)
      list.push_back({{"name", name}, {"value", own}, {"best", its}});
  return list;
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
  const Json differences = difference_from(best, rows->trial);
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
  if (!command.empty()) console.out << "\nCommand: " << shell_text(command) << '\n';
  // A trial that somebody else's program runs (ask and tell) has none.
  if (std::error_code unknown; std::filesystem::exists(folder, unknown))
    console.out << "\nFiles: " << folder << '\n';
  return 0;
}

}  // namespace tune::cli
