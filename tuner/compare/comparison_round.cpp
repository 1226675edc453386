#include "tuner/compare/comparison_round.h"

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/file_system.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// FOLDER/NAME-K.EXTENSION with the first K that is free.
fs::path free_path(const fs::path& folder, const std::string& name, const std::string& extension) {
  for (int number = 1;; ++number)
    if (fs::path path = folder / (name + "-" + std::to_string(number) + extension);
        !fs::exists(fs::symlink_status(path)))
      return path;
}

void count_looks(const store::ComparisonStore& record, store::ComparisonFacts& facts) {
  int looks = facts.looks_before.value_or(0);
  double seconds = facts.scoring_seconds_before.value_or(0);
  for (const store::Scoring& scoring : record.scorings()) {
    looks = std::max(looks, scoring.number);
    for (const store::Prediction& prediction : record.predictions(scoring.number))
      seconds += prediction.seconds;
  }
  facts.looks_before = looks;
  facts.scoring_seconds_before = seconds;
}

}  // namespace

void begin_round(const fs::path& folder, store::ComparisonRow row) {
  const fs::path file = comparison_database(folder), next = folder / "comparison.db.next";
  store::ComparisonFacts facts = store::comparison_facts(row.facts);
  count_looks(store::ComparisonStore(file, store::OpenMode::kRead), facts);
  facts.budget_was_raised = true;
  row.facts = store::to_json(facts);
  for (const char* part : {"", "-journal"}) fs::remove(next.string() + part);  // of a run that died here
  store::ComparisonStore(next, store::OpenMode::kCreate).begin(row);
  crash_point("round_made");
  fs::create_hard_link(file, free_path(folder, "comparison", ".db"));
  crash_point("round_kept");
  fs::rename(next, file);
  crash_point("round_begun");
}

void set_study_aside(const fs::path& store, const std::string& comparison, const std::string& study) {
  const fs::path aside = studies_set_aside(comparison_folder(store, comparison));
  make_private_folder(aside);
  engine::HeldStudy held = engine::hold_study(store, study);
  held.store.reset();  // which puts all of it into one file first
  fs::rename(store / study, free_path(aside, study, ""));
  crash_point("study_set_aside");
}

}  // namespace tune::compare
