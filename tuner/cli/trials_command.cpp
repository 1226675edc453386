#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/live/live_study.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/trial_table.h"

namespace tune::cli {

int trials_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "trials")
                           .positional("STUDY", "the study's name")
                           .flag("csv", "every column, exact numbers, RFC 4180")
                           .parse(arguments, console);
  if (!options) return 0;
  if (options->has("csv") && options->has("json"))
    throw Error(ExitCode::kUsage, "--csv and --json exclude each other");
  const report::StudyRows rows = live::read_live_study(store_folder(*options), options->text("STUDY"));
  if (options->has("json"))
    print_json(report::trials_json(rows), console);
  else if (options->has("csv"))
    console.out << report::csv_table(report::trial_table(rows, report::TrialColumns::kEverything));
  else {
    console.out << report::text_table(report::trial_table(rows, report::TrialColumns::kTerminal),
                                      console.width);
    if (const report::Table replicates = report::replicate_table(rows); !replicates.rows.empty())
      console.out << "\nOn other seeds:\n" << report::text_table(replicates, console.width);
  }
  return 0;
}

}  // namespace tune::cli
