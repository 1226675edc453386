#include "tuner/compare/comparison_scoring.h"

#include <cmath>

#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/sha256.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

bool is_file_with(const fs::path& file, const std::string& sha256) {
  return fs::exists(file) && sha256_of_file(file) == sha256;
}

}  // namespace

ComparisonScoring::ComparisonScoring(store::ComparisonStore& record, int number, fs::path store_folder,
                                     fs::path folder, std::function<void(const std::string&)> notice)
    : record_(record),
      number_(number),
      store_folder_(std::move(store_folder)),
      folder_(std::move(folder)),
      notice_(std::move(notice)),
      models_(record.models()) {}

std::map<int, store::Prediction> ComparisonScoring::done() const {
  std::map<int, store::Prediction> done;
  for (store::Prediction& prediction : record_.predictions(number_))
    done[prediction.model] = std::move(prediction);
  return done;
}

void ComparisonScoring::begin_model(const store::FrozenModel& model) const {
  notice_("model " + std::to_string(model.number) + " of " + std::to_string(models_.size()) + ": " +
          model.study + "/" + std::to_string(model.trial));
  const fs::path folder = store_folder_ / model.folder;
  if (fingerprint_of_folder(folder) == model.fingerprint) return;
  throw Error(ExitCode::kConflict, folder.string() + " has changed since the models were frozen",
              "restore it, or begin another comparison under another name");
}

std::vector<fs::path> ComparisonScoring::predict(const TestImages& images) const {
  std::map<int, store::Prediction> done = this->done();
  std::vector<fs::path> files;
  for (const store::FrozenModel& model : models_) {
    files.push_back(folder_ / ("model-" + std::to_string(model.number) + ".json"));
    if (done.contains(model.number) && is_file_with(files.back(), done[model.number].sha256)) continue;
    begin_model(model);
    const TestImages::Predicted made = images.predict(store_folder_ / model.folder, files.back());
    crash_point("prediction_made");
    record_.insert_prediction(number_,
                              {model.number, sha256_of_file(files.back()), made.seconds, made.facts});
    crash_point("prediction_recorded");
  }
  return files;
}

Json ComparisonScoring::score(const TestImages& images, const std::vector<fs::path>& detections,
                              const fs::path& groups) const {
  return images.score(detections, groups, store_folder_ / models_.front().folder, folder_ / "images");
}

Json ComparisonScoring::test(const OwnTest& own_test, const TestProgram& program,
                             const ComparisonLedger& ledger) const {
  std::map<int, store::Prediction> done = this->done();
  Json results = Json::array();
  for (const store::FrozenModel& model : models_) {
    if (own_test.command.empty()) {
      results.push_back({{"score", require_printed_score(ledger, model, own_test.metric)}});
      continue;
    }
    if (!done.contains(model.number)) {
      begin_model(model);
      const fs::path log = folder_ / ("model-" + std::to_string(model.number) + ".log");
      const TestProgram::Tested made = program.test(store_folder_ / model.folder, log);
      crash_point("prediction_made");
      done[model.number] = {model.number, sha256_of_file(log), made.seconds, {{"score", made.score}}};
      record_.insert_prediction(number_, done[model.number]);
      crash_point("prediction_recorded");
    }
    results.push_back({{"score", done[model.number].facts.at("score")}});
  }
  crash_point("before_scoring");
  return {
      {"schema", 1}, {"metric", own_test.metric}, {"goal", goal_text(own_test.goal)}, {"results", results}};
}

double require_printed_score(const ComparisonLedger& ledger, const store::FrozenModel& model,
                             const std::string& metric) {
  if (const auto study = ledger.study_store(model.study)) {
    const std::vector<MetricPoint> curve = study->curve(model.trial, metric);
    if (!curve.empty() && std::isfinite(curve.back().value)) return curve.back().value;
  }
  const std::string trial = model.study + "/" + std::to_string(model.trial);
  throw Error(ExitCode::kEnvironment,
              "the trial " + trial + " has printed no finite value of \"" + metric +
                  "\", which \"test\" compares the models by",
              "`tune logs " + trial +
                  "` shows what it printed; a trainer that cannot test its model should "
                  "fail. Mend it, and begin under another name in \"comparison\"");
}

}  // namespace tune::compare
