// `tune report NAME`: a whole study or comparison as one HTML file, as Markdown and as JSON.
#include <algorithm>
#include <ostream>

#include "store/comparison_store.h"
#include "store/store_listing.h"
#include "store/study_versions.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/compare/comparison_document.h"
#include "tuner/compare/comparison_run.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/live_study.h"
#include "tuner/live/study_importance.h"
#include "tuner/os/atomic_file.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/study/model_quality.h"
#include "tuner/report/study/study_document.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// What the best trial's trainer wrote about its model, where it did.
Json model_of(const fs::path& store_path, const report::StudyRows& rows) {
  const auto best = report::best_trial(rows);
  if (!best) return nullptr;
  const fs::path attempt =
      attempt_folder(study_folder(store_path, rows.study.name), {best->number, best->attempts});
  return report::read_model_file(attempt / kOutputFolder / "model.json");
}

std::vector<report::PromotedVersion> promoted_versions(const fs::path& store_path,
                                                       const store::StudyRow& study) {
  std::vector<report::PromotedVersion> found;
  for (const auto& [version, is_current, promotions] :
       store::versions_of_study(store_path, study.name, study.created))
    found.push_back({version.model, version.version, version.trial,
                     promotions.empty() ? std::string() : promotions.back().reason, is_current});
  return found;
}

report::StudyMaterial read_material(const fs::path& store_path, const std::string& name) {
  report::StudyMaterial material;
  material.rows = live::read_live_study(store_path, name);
  const store::StudyStore study = open_study_for_reading(store_path, name);
  const History history = study.load_history();
  for (const auto& trial : history.trials)
    if (!trial->curve.empty()) material.curves[trial->number] = trial->curve;
  material.space = report::stored_space(material.rows.study);
  material.importance = live::importance_rows(live::study_importance(material.space, history));
  if (const auto of_second = live::second_importance(material.space, history))
    material.second_importance = live::importance_rows(*of_second);
  material.promoted = promoted_versions(store_path, material.rows.study);
  material.model = model_of(store_path, material.rows);
  material.version = TUNE_VERSION;
  material.made = SystemClock().wall_now();
  return material;
}

// A report in its forms, and where it goes unless another folder is named.
struct Report {
  report::Document document;
  Json json;
  fs::path folder;
};

Report study_report(const fs::path& store_path, const std::string& name) {
  const report::StudyMaterial material = read_material(store_path, name);
  return {report::study_document(material), report::study_document_json(material),
          study_folder(store_path, name) / "report"};
}

bool is_comparison(const fs::path& store_path, const std::string& name) {
  std::error_code ignored;
  return !name.empty() && name.find('/') == std::string::npos && name != "." && name != ".." &&
         fs::exists(comparison_database(comparison_folder(store_path, name)), ignored);
}

Report comparison_report(const fs::path& store_path, const std::string& name) {
  const fs::path folder = comparison_folder(store_path, name);
  const store::ComparisonStore record(comparison_database(folder), store::OpenMode::kRead);
  const auto row = record.comparison();
  if (!row)
    throw Error(ExitCode::kNotFound, "the comparison \"" + name + "\" has not begun",
                "run it: tune compare FILE");
  const compare::Comparison comparison = compare::parse_comparison(row->text, name, row->folder);
  compare::ComparisonMaterial material = compare::read_comparison_material(store_path, comparison, record);
  material.version = TUNE_VERSION;
  material.made = SystemClock().wall_now();
  return {compare::comparison_document(material), compare::comparison_document_json(material),
          folder / "report"};
}

// A study first: a comparison's own studies have dots in their names.
Report make_report(const fs::path& store_path, const std::string& name) {
  const std::vector<std::string> studies = store::study_names(store_path);
  const bool is_study = std::find(studies.begin(), studies.end(), name) != studies.end();
  if (!is_study && is_comparison(store_path, name)) return comparison_report(store_path, name);
  return study_report(store_path, name);
}

// The names of the files that were written.
std::vector<fs::path> write_report(const Report& report, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message(),
                "--output names another folder");
  write_file_atomically(folder / "report.html", report::document_html(report.document));
  write_file_atomically(folder / "report.md", report::document_markdown(report.document));
  write_file_atomically(folder / "report.json",
                        report.json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n');
  return {folder / "report.html", folder / "report.md", folder / "report.json"};
}

}  // namespace

int report_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "report")
                           .positional("NAME", "of a study or a comparison")
                           .value("output", "FOLDER",
                                  "where report.html, report.md and report.json go [STORE/STUDY/report, or "
                                  "STORE/comparisons/NAME/report]")
                           .parse(arguments, console);
  if (!options) return 0;
  const fs::path store_path = store_folder(*options);
  const Report report = make_report(store_path, options->text("NAME"));
  const bool as_json = options->has("json");
  std::vector<fs::path> files;
  // --json alone only prints.
  if (!as_json || options->has("output"))
    files = write_report(report, options->has("output") ? fs::path(options->text("output")) : report.folder);
  if (as_json) {
    print_json(report.json, console);
  } else {
    for (const fs::path& file : files) console.out << visible_text(file.string()) << '\n';
  }
  return 0;
}

}  // namespace tune::cli
