#include <ostream>

#include "tuner/cli/commands.h"
#include "tuner/cli/options.h"
#include "tuner/cli/output.h"
#include "tuner/cli/store_path.h"
#include "tuner/report/study_report.h"

namespace tune::cli {

int best_command(const Arguments& arguments, Console& console) {
  const auto options = Options("best").positional("STUDY", "the study's name").parse(arguments, console);
  if (!options) return 0;
  const report::StudyRows rows =
      report::read_study(open_study(store_folder(*options), options->text("STUDY")));
  if (options->has("json")) {
    Json json = report::best_json(report::best_trial(rows.trials, rows.study.objective));
    json["schema"] = 1;
    print_json(json, console);
  } else {
    console.out << report::best_text(rows);
  }
  return 0;
}

}  // namespace tune::cli
