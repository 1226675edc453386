// Promotion out of a front.
#include "tuner/engine/promotion/preferred.h"

#include <fstream>

#include "tuner/core/attempt_layout.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using namespace engine;
namespace fs = std::filesystem;

// A study of accuracy and latency on disk, whose trials have completed with these values.
class FrontStudy {
 public:
  FrontStudy(const fs::path& store_folder, const std::string& name, const std::string& prefer,
             const std::vector<std::vector<double>>& values)
      : folder_(store_folder / name), store_(make(folder_), store::OpenMode::kCreate) {
    store::StudyRow row;
    row.name = name;
    row.spec = Json::parse(R"({"objectives": [{"metric": "accuracy", "goal": "maximize"},
                                              {"metric": "latency_ms", "goal": "minimize"}]})");
    if (!prefer.empty()) row.spec["promote"] = {{"model", "m"}, {"prefer", Json::parse(prefer)}};
    row.folder = "/";
    row.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
    row.state = store::StudyState::kFinished;
    store_.create_study(row);
    for (std::size_t i = 0; i < values.size(); ++i) add(static_cast<int>(i) + 1, values[i]);
  }
  store::StudyStore& store() { return store_; }

 private:
  static fs::path make(const fs::path& folder) {
    fs::create_directories(folder);
    return folder / "study.db";
  }
  void add(int number, const std::vector<double>& values) {
    store::TrialRow row;
    row.number = number;
    row.parameters = {{"x", 0.5}};
    row.state = TrialState::kRunning;
    row.attempts = 1;
    store_.insert_trial(row);
    store::AttemptRow attempt;
    attempt.trial = number;
    attempt.attempt = 1;
    attempt.token = folder_.filename().string() + std::to_string(number);
    attempt.state = store::AttemptState::kExited;
    attempt.created = WallTime(Milliseconds(1000));
    store_.insert_attempt(attempt);
    row.state = TrialState::kCompleted;
    row.values = values;
    store_.update_trial(row);
    const fs::path output = attempt_folder(folder_, {number, 1}) / "output";
    fs::create_directories(output);
    std::ofstream(output / "weights") << "of trial " << number;
  }
  fs::path folder_;
  store::StudyStore store_;
};

const std::vector<std::vector<double>> kValues{{0.95, 40}, {0.93, 24}, {0.90, 12}, {0.85, 30}, {0.80, 8}};
constexpr const char* kFast = R"({"best": "accuracy", "with": {"latency_ms": {"max": 20}}})";

store::PromotionDecision promoted(FrontStudy& study, const fs::path& folder,
                                  std::optional<int> trial = std::nullopt) {
  return promote_trial(study.store(), {folder, "m", trial});
}

TEST_CASE("the trial of the front is promoted that the spec prefers, with both values in its lineage") {
  ScratchFolder folder;
  FrontStudy study(folder.path(), "s", kFast, kValues);
  const store::PromotionDecision result = promoted(study, folder.path());
  CHECK(result.promoted);
  CHECK(result.trial == 3);
  CHECK(result.reason.find("accuracy 0.9, latency_ms 12 (best accuracy with latency_ms of at most 20)") !=
        std::string::npos);
  const store::ModelRegistry registry(folder.path() / "models" / "registry.db", store::OpenMode::kRead);
  const auto version = registry.current("m");
  REQUIRE(version);
  CHECK(version->objective.metric == "accuracy");
  CHECK(version->value == 0.9);
  CHECK(version->lineage["objectives"][1]["value"] == 12);
  // The same again is no other version.
  CHECK(promoted(study, folder.path()).reason == "this trial is the current version already");
}

TEST_CASE("where no trial keeps to what is preferred nothing is promoted, and the nearest is named") {
  ScratchFolder folder;
  FrontStudy study(folder.path(), "s", R"({"best": "accuracy", "with": {"latency_ms": {"max": 7}}})",
                   kValues);
  const store::PromotionDecision result = promoted(study, folder.path());
  CHECK_FALSE(result.promoted);
  CHECK(result.reason ==
        "no trial of the front keeps to promote.prefer (best accuracy with latency_ms of at most 7); the "
        "nearest is "
        "trial 5 with accuracy 0.8, latency_ms 8");
  // A person may all the same.
  CHECK(promoted(study, folder.path(), 4).promoted);
}

TEST_CASE("a version is replaced by a trial that is preferred to it, or where it breaks the bounds") {
  ScratchFolder folder;
  FrontStudy first(folder.path(), "first", kFast, {{0.90, 12}}),
      worse(folder.path(), "worse", kFast, {{0.89, 5}}), better(folder.path(), "better", kFast, {{0.91, 19}});
  CHECK(promoted(first, folder.path()).promoted);
  const store::PromotionDecision refused = promoted(worse, folder.path());
  CHECK_FALSE(refused.promoted);
  CHECK(refused.reason.find("is not preferred") != std::string::npos);
  CHECK(promoted(better, folder.path()).promoted);
  // With a stricter bound the current version is none any more.
  FrontStudy strict(folder.path(), "strict", R"({"best": "accuracy", "with": {"latency_ms": {"max": 10}}})",
                    {{0.7, 9}});
  const store::PromotionDecision forced = promoted(strict, folder.path());
  CHECK(forced.promoted);
  CHECK(forced.reason.find("keeps to what is preferred") != std::string::npos);
}

TEST_CASE("a version is known by the objective that decides, and weights compare both") {
  ScratchFolder folder;
  FrontStudy study(folder.path(), "s", R"({"best": "latency_ms", "with": {"accuracy": {"min": 0.9}}})",
                   kValues);
  CHECK(promoted(study, folder.path()).trial == 3);
  const store::ModelRegistry registry(folder.path() / "models" / "registry.db", store::OpenMode::kRead);
  CHECK(registry.current("m")->objective.metric == "latency_ms");
  CHECK(registry.current("m")->value == 12);
  FrontStudy weighted(folder.path(), "w", R"({"weight": 1})", {{0.95, 40}, {0.8, 8}});
  const store::PromotionDecision result = promoted(weighted, folder.path());
  CHECK(result.promoted);
  CHECK(result.trial == 1);
}

TEST_CASE("a version of one objective cannot be compared with a front's trial") {
  ScratchFolder folder;
  FrontStudy study(folder.path(), "s", kFast, kValues);
  store::ModelVersion version;
  version.version = 4;
  version.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
  version.value = 0.5;
  const History history = study.store().load_history();
  const Preference preference =
      *preference_in(study.store().study().spec, {history.objective, *history.second});
  const Gate gate = judge_preferred(history, preference, {0.9, 12}, version);
  CHECK_FALSE(gate.passes);
  CHECK(gate.reason ==
        "version 4 has accuracy 0.5 alone, which cannot be compared with accuracy 0.9, latency_ms 12");
}

TEST_CASE("without a preference a person says which trial of the front is promoted") {
  ScratchFolder folder;
  FrontStudy study(folder.path(), "s", "", kValues);
  CHECK_THROWS_WITH(promoted(study, folder.path()),
                    Catch::Matchers::Contains("does not say which trial of the front is preferred"));
  CHECK(promoted(study, folder.path(), 2).promoted);
}

}  // namespace
}  // namespace tune::tests
