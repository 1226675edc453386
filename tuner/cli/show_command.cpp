#include <ostream>

#include "tuner/billing/neighbours.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/live/live_study.h"
#include "tuner/os/held_locks.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/trial_report.h"

namespace tune::cli {

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
  rows->console_state =
      report::console_state(live::read_live_study(store_path, reference.study), rows->trial);
  const std::string folder = trial_folder(store_path, reference).string();
  if (options->has("json")) {
    Json json = report::trial_details_json(*rows);
    json["folder"] = folder;
    print_json(json, console);
    return 0;
  }
  console.out << report::trial_text(*rows, console.width);
  // A trial that somebody else's program runs (ask and tell) has none.
  if (std::error_code unknown; std::filesystem::exists(folder, unknown))
    console.out << "\nFiles: " << folder << '\n';
  return 0;
}

}  // namespace tune::cli
