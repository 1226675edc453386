#pragma once
// A store with a comparison whose result was made by hand: two approaches of two runs each, two test images.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "store/comparison_store.h"
#include "support/run_shell.h"
#include "tuner/compare/comparison_document.h"
#include "unit/store/store_fixture.h"

namespace tune::compare {

inline constexpr const char* kComparison = R"({ "comparison": "steel",
  "objective": { "metric": "validation:mAP", "goal": "maximize" },
  "trainer": { "task": "detection", "model": "m", "data": "train", "test": "test" },
  "seeds": 2, "cost": { "usd_per_hour": 3.6, "date": "2026-11-21" },
  "approaches": [ { "name": "legacy" }, { "name": "latest" } ] })";

inline const std::string kHostile = "</script><b onload=\"pwned=1\">|*";
inline const std::string kJpeg = std::string("\xFF\xD8\xFF\xE0", 4) + "pixels";

inline Json result_of(double ap, const Json& counts) {
  return {{"AP", ap},
          {"AP50", ap + 0.2},
          {"classes",
           {{{"name", "pit"}, {"objects", 3}, {"AP", ap - 0.1}, {"AP50", ap}, {"category_id", 1}},
            {{"name", kHostile}, {"objects", 1}, {"AP", ap + 0.1}, {"AP50", ap}, {"category_id", 2}}}},
          {"confusion",
           {{"classes", {"pit", kHostile, "background"}}, {"counts", counts}, {"iou", 0.5}, {"score", 0.3}}}};
}

// Of a task that tells whole images apart.
inline Json classification_result(double accuracy) {
  return {{"accuracy", accuracy},
          {"macro_f1", accuracy - 0.05},
          {"classes",
           {{{"name", "pit"}, {"images", 3}, {"f1", accuracy - 0.1}},
            {{"name", kHostile}, {"images", 1}, {"f1", accuracy + 0.1}}}},
          {"confusion", {{"classes", {"pit", kHostile}}, {"counts", {{2, 1}, {0, 1}}}}}};
}

inline Json detection(int image, int category, const Json& box, double score) {
  return {{"image_id", image}, {"category_id", category}, {"bbox", box}, {"score", score}};
}

class ScoredComparison {
 public:
  // Of another task than detection where the facts say so.
  explicit ScoredComparison(Json facts = Json::object()) : facts_(std::move(facts)), record_(begin()) {}

  void freeze() {
    std::vector<store::FrozenModel> models;
    // The first approach's first run and the second's last one are the best by validation.
    const std::vector<double> validation{0.4, 0.3, 0.1, 0.2};
    for (int number = 1; number <= 4; ++number) {
      const std::string approach = number <= 2 ? "legacy" : "latest";
      models.push_back({number, approach, "defaults", "steel." + approach + ".defaults", (number - 1) % 2 + 1,
                        validation[static_cast<std::size_t>(number - 1)], "nowhere", std::string(64, 'a')});
    }
    record_.freeze(models, facts_);
  }
  void score(Json result = full_result()) {
    const int number = record_.begin_scoring(store::at(1));
    record_.end_scoring(number, result, store::at(2));
    std::filesystem::create_directories(scoring() / "images");
    write("images/7.jpg", kJpeg);
    for (int model = 1; model <= 4; ++model)
      write("model-" + std::to_string(model) + ".json",
            Json{detection(7, 1, {10, 10, 40, 40}, 0.9), detection(7, 2, {11, 11, 40, 40}, 0.8),
                 detection(7, 1, {0, 0, 5, 5}, 0.29), detection(8, 1, {1, 1, 5, 5}, 0.5)}
                .dump());
  }
  static Json full_result() {
    const Json counts = {{2, 0, 1}, {0, 1, 0}, {1, 0, 0}};
    Json resampled = Json::array();
    for (int model = 0; model < 4; ++model)
      resampled.push_back({0.1 * model, 0.1 * model + 0.01, 0.1 * model + 0.02});
    return {
        {"schema", 1},
        {"images", 20},
        {"results",
         {result_of(0.2, counts), result_of(0.3, counts), result_of(0.4, counts), result_of(0.5, counts)}},
        {"resamples", {{"count", 3}, {"seed", 0}, {"groups", 18}, {"AP", resampled}, {"AP50", resampled}}},
        {"examples",
         {{{"image_id", 7},
           {"file_name", "a" + kHostile},
           {"path", nullptr},
           {"width", 100},
           {"height", 80},
           {"objects", {{{"name", "pit"}, {"bbox", {10, 10, 40, 40}}}}}},
          {{"image_id", 8},
           {"file_name", "b.jpg"},
           {"path", nullptr},
           {"width", 100},
           {"height", 80},
           {"objects", Json::array()}}}}};
  }
  static Json classification() {
    Json resampled = Json::array(), answers = Json::array();
    for (int model = 0; model < 4; ++model) {
      resampled.push_back({0.1 * model, 0.1 * model + 0.01, 0.1 * model + 0.02});
      answers.push_back({{"labels", {model < 2 ? "pit" : kHostile}}, {"probabilities", {0.75}}});
    }
    return {{"schema", 1},
            {"images", 4},
            {"results",
             {classification_result(0.2), classification_result(0.3), classification_result(0.4),
              classification_result(0.5)}},
            {"resamples", {{"count", 3}, {"groups", 4}, {"accuracy", resampled}, {"macro_f1", resampled}}},
            {"examples",
             {{{"image_id", 7},
               {"file_name", "a.jpg"},
               {"width", 100},
               {"height", 80},
               {"labels", {"pit"}},
               {"predicted", answers}}}}};
  }
  std::filesystem::path scoring() const {
    return folder_.path() / "comparisons" / "steel" / "scorings" / "1";
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(scoring() / name, std::ios::binary) << content;
  }
  ComparisonMaterial read() const {
    ComparisonMaterial material = read_comparison_material(folder_.path(), comparison(), record_);
    material.version = "0.1.0";
    material.made = store::at(0);
    return material;
  }

 private:
  Comparison comparison() const { return parse_comparison(kComparison, "steel", folder_.path()); }
  store::ComparisonStore begin() const {
    std::filesystem::create_directories(folder_.path() / "comparisons" / "steel");
    store::ComparisonStore record(folder_.path() / "comparisons" / "steel" / "comparison.db",
                                  store::OpenMode::kCreate);
    record.begin(
        {"steel", Json::parse(kComparison), kComparison, folder_.path().string(), store::at(0), facts_});
    return record;
  }

  tests::TemporaryFolder folder_;
  Json facts_;
  store::ComparisonStore record_;
};

}  // namespace tune::compare
