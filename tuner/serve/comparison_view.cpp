#include "tuner/serve/comparison_view.h"

#include <algorithm>
#include <vector>

#include "store/comparison_store.h"
#include "store/store_listing.h"
#include "tuner/compare/comparison_document.h"
#include "tuner/compare/comparison_report.h"
#include "tuner/compare/comparison_run.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> comparison_names(const fs::path& store) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(store / kComparisonsFolder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code ignored;
    if (fs::exists(comparison_database(entry->path()), ignored))
      names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

OrderedJson comparisons_json(const fs::path& store) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& name : comparison_names(store)) {
    const store::ComparisonStore record(comparison_database(comparison_folder(store, name)),
                                        store::OpenMode::kRead);
    const auto row = record.comparison();
    if (!row) continue;
    const std::vector<store::Scoring> scorings = record.scorings();
    const bool is_scored = std::any_of(scorings.begin(), scorings.end(),
                                       [](const auto& scoring) { return scoring.ended.has_value(); });
    std::vector<std::string> studies;
    for (const std::string& study : store::study_names(store))
      if (store::comparison_of(store, study) == name) studies.push_back(study);
    list.push_back({{"comparison", name},
                    {"created", format_time(row->created)},
                    {"studies", studies},
                    {"scored", is_scored}});
  }
  return list;
}

OrderedJson comparison_json(const fs::path& store, const std::string& name, const std::string& version) {
  const std::vector<std::string> names = comparison_names(store);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const auto guess = nearest_name(name, names);
    throw Error(ExitCode::kNotFound, "there is no comparison \"" + name + "\"",
                guess ? "did you mean \"" + *guess + "\"?" : "");
  }
  const store::ComparisonStore record(comparison_database(comparison_folder(store, name)),
                                      store::OpenMode::kRead);
  const auto row = record.comparison();
  if (!row)
    throw Error(ExitCode::kNotFound, "the comparison \"" + name + "\" has not begun",
                "run it: tune compare FILE");
  const compare::Comparison comparison = compare::parse_comparison(row->text, name, row->folder);
  compare::ComparisonMaterial material = compare::read_comparison_material(store, comparison, record);
  material.version = version;
  material.made = SystemClock().wall_now();
  Json document = compare::comparison_document_json(material);
  document.erase("examples");
  return {{"schema", 1}, {"comparison", document}, {"text", compare::comparison_text(material.report)}};
}

}  // namespace tune::serve
