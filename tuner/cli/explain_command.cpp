// `tune explain STUDY/N`: why a trial was suggested, why it ended as it did, whether it was promoted.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/report/text/trial_explanation.h"

namespace tune::cli {

int explain_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "explain")
                           .positional("STUDY/N", "trial N of a study, for example steel-legacy/3")
                           .parse(arguments, console);
  if (!options) return 0;
  const TrialReference reference = parse_trial_reference(options->text("STUDY/N"));
  const auto store_path = store_folder(*options);
  const store::StudyStore store = open_study_for_reading(store_path, reference.study);
  const auto rows = report::read_trial(store, reference.trial);
  if (!rows) throw unknown_trial(store, reference);
  const auto versions = store::versions_of_study(store_path, rows->study.name, rows->study.created);
  if (options->has("json"))
    print_json(report::explanation_json(*rows, versions), console);
  else
    console.out << report::explanation_text(*rows, versions);
  return 0;
}

}  // namespace tune::cli
