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
namespace {

report::TrialModels models_of(const std::filesystem::path& store, const TrialReference& reference) {
  report::TrialModels models;
  const std::filesystem::path file = registry_file(models_folder(store));
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return models;
  const store::ModelRegistry registry(file, store::OpenMode::kRead);
  for (const std::string& model : registry.models()) {
    bool any = false;
    for (store::ModelVersion& version : registry.versions(model)) {
      if (version.study != reference.study || version.trial != reference.trial) continue;
      any = true;
      models.versions.push_back(std::move(version));
    }
    if (!any) continue;
    for (store::Promotion& promotion : registry.promotions(model))
      models.promotions.push_back(std::move(promotion));
  }
  return models;
}

}  // namespace

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
  const report::TrialModels models = models_of(store_path, reference);
  if (options->has("json"))
    print_json(report::explanation_json(*rows, models), console);
  else
    console.out << report::explanation_text(*rows, models);
  return 0;
}

}  // namespace tune::cli
