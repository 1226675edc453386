#include "tuner/cli/import_optuna.h"

#include <ostream>

#include "tuner/cli/command_line/output.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/import/optuna_import.h"
#include "tuner/import/study_name.h"
#include "tuner/spec/spec_text.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// The study of the file that is asked for; the only one where none is named.
std::string chosen_study(const std::string& file, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const std::vector<std::string> names = store::optuna_studies(file);
  if (names.size() == 1) return names.front();
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + in_quotes(name);
  throw Error(names.empty() ? ExitCode::kNotFound : ExitCode::kUsage,
              file + " has " + (names.empty() ? "no" : std::to_string(names.size())) + " studies",
              names.empty() ? "nothing was searched in it" : "choose one with --study: " + list);
}

// All of it, or nothing that another command would take for a study with trials.
void write_study(const fs::path& store, const Spec& spec, const optuna::ImportedStudy& imported) {
  engine::OpenedStudy study = engine::open_study(store, spec, spec.text, {});
  if (study.store.trial_count() > 0)
    throw Error(ExitCode::kConflict, "there is a study \"" + spec.study + "\" in the store already",
                "choose another name with --name");
  store::StudyStore::Transaction transaction(study.store, Durability::kPower);
  std::vector<store::MetricRow> points;
  for (const optuna::ImportedTrial& trial : imported.trials) {
    study.store.insert_trial(trial.row);
    for (const MetricPoint& point : trial.curve)
      points.push_back(
          {trial.row.number, 1, spec.objective.metric, point, trial.row.ended.value_or(trial.row.created)});
  }
  study.store.insert_metrics(points);
  study.row.state = store::StudyState::kFinished;
  study.row.finish_reason = to_string(store::StudyEnd::kTrialLimit);
  study.row.facts.driver = "optuna";
  study.row.facts.tune = TUNE_VERSION;
  study.store.update_study(study.row);
  transaction.commit();
}

}  // namespace

int import_optuna(const Parsed& options, Console& console) {
  const std::string file = options.text("FILE");
  const store::OptunaStudy read = store::read_optuna_file(file, chosen_study(file, options.text("study")));
  const std::string name =
      options.has("name") ? options.text("name") : amt::study_name_of(read.name, "optuna");
  const fs::path store = fs::absolute(store_folder(options)).lexically_normal();
  study_folder(store, name);
  const optuna::ImportedStudy imported = optuna::imported_study(read, name, file);
  const Spec spec =
      parse_spec(spec_text(imported.spec), file, fs::absolute(file).parent_path(), SpecUse::kAskTell);
  write_study(store, spec, imported);
  if (options.has("json")) {
    print_json({{"schema", 1},
                {"study", name},
                {"trials", imported.trials.size()},
                {"notices", imported.notices},
                {"spec", Json(imported.spec)}},
               console);
    return 0;
  }
  for (const std::string& notice : imported.notices)
    console.err << "notice: " << visible_text(notice) << '\n';
  console.out << "the study " << name << " has " << plural_text(imported.trials.size(), "trial") << " of "
              << visible_text(file)
              << "; to learn from them, a spec names it: \"warm_start\": [{\"study\": " << in_quotes(name)
              << ", \"kind\": \"identical\"}]\n";
  return 0;
}

}  // namespace tune::cli
