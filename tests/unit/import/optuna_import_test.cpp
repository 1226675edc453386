#include "tuner/import/optuna_import.h"

#include <cmath>

#include "support/catch.h"
#include "support/golden_optuna.h"
#include "tuner/spec/spec.h"
#include "unit/store/store_fixture.h"

namespace tune::optuna {
namespace {

using store::OptunaState;
using store::OptunaStudy;
using store::OptunaTrial;

OptunaTrial trial(int number, std::map<std::string, double> values) {
  OptunaTrial made;
  made.number = number;
  made.state = OptunaState::kComplete;
  made.values = {0.5};
  for (const auto& [name, value] : values)
    made.parameters.push_back(
        {name, value, {{"name", "FloatDistribution"}, {"attributes", {{"low", 0.0}, {"high", 1.0}}}}});
  return made;
}

OptunaStudy study_of(std::vector<OptunaTrial> trials) {
  return {"s", {Goal::kMinimize}, {}, {}, std::move(trials)};
}

ImportedStudy golden(const std::string& study) {
  const store::TemporaryFolder folder;
  tests::restore_golden_optuna(folder / "a.db");
  return imported_study(store::read_optuna_file(folder / "a.db", study), "earlier", "a.db");
}

TEST_CASE("every kind of parameter and of end becomes one of ours", "[optuna]") {
  const ImportedStudy study = golden("every kind");
  CHECK(study.spec["objective"].dump() == R"({"metric":"accuracy","goal":"maximize"})");
  CHECK(
      study.spec["parameters"].dump() ==
      R"({"lr":{"type":"float","min":0.0001,"max":0.1,"scale":"log"},"k":{"type":"int","min":1,"max":9,"step":2},)"
      R"("c":{"type":"categorical","values":["a",null,3,true,1.5]},"z":{"type":"float","min":0.0,"max":1.0,"step":0.25}})");
  REQUIRE(study.trials.size() == 6);
  CHECK(study.trials[0].row.state == TrialState::kCompleted);
  CHECK(study.trials[0].row.parameters.size() == 4);
  CHECK(study.trials[0].curve.front().step == 1);  // of 0
  CHECK(study.trials[2].row.state == TrialState::kStopped);
  CHECK(study.trials[2].row.values.size() == 1);  // what it had reported last
  CHECK(study.trials[3].row.state == TrialState::kFailed);
  CHECK(study.trials[4].row.state == TrialState::kFailed);
  CHECK(study.trials[4].row.failure == "non_finite");
  CHECK(study.notices == std::vector<std::string>{"1 trial had not ended, and is left out"});
}

TEST_CASE("a parameter that a choice brings along is bound to it, and ranges that change are joined",
          "[optuna]") {
  const ImportedStudy study = golden("conditional");
  CHECK(study.spec["parameters"]["momentum"]["when"].dump() == R"({"optimizer":["sgd"]})");
  CHECK(study.spec["parameters"]["learning_rate"]["max"] == 8.0);
  CHECK(study.trials.size() == 8);
  CHECK(study.notices == std::vector<std::string>{"the parameter \"learning rate\" is called learning_rate"});
}

TEST_CASE("two objectives stay two", "[optuna]") {
  const ImportedStudy study = golden("two");
  CHECK(study.spec["objectives"].dump() ==
        R"([{"metric":"value_0","goal":"maximize"},{"metric":"value_1","goal":"minimize"}])");
  CHECK(study.trials[1].row.values.size() == 2);
}

TEST_CASE("a trial without a parameter that nothing explains is left out, and one value is a fixed one",
          "[optuna]") {
  OptunaStudy study = study_of({trial(0, {{"x", 0.1}, {"y", 0.2}}), trial(1, {{"x", 0.3}})});
  study.trials[0].parameters.push_back(
      {"one", 4, {{"name", "IntDistribution"}, {"attributes", {{"low", 4}, {"high", 4}}}}});
  study.trials[1].parameters.push_back(study.trials[0].parameters.back());
  const ImportedStudy imported = imported_study(study, "earlier", "a.db");
  CHECK(imported.trials.size() == 1);
  CHECK(imported.spec["fixed"].dump() == R"({"one":4})");
  CHECK(imported.notices ==
        std::vector<std::string>{"1 trial did not have every parameter, and is left out"});
}

TEST_CASE("what no spec can say is refused", "[optuna]") {
  const auto refusal = [](const OptunaStudy& study) {
    return store::message_of([&] { imported_study(study, "earlier", "a.db"); });
  };
  OptunaStudy three = study_of({trial(0, {{"x", 0.1}})});
  three.goals = {Goal::kMinimize, Goal::kMinimize, Goal::kMinimize};
  CHECK(refusal(three) == "a.db: the study \"s\": it has 3 objectives");
  CHECK(refusal(study_of({})) == "a.db: the study \"s\": none of its trials that have ended has a parameter");
  OptunaStudy mixed = study_of({trial(0, {{"x", 0.1}}), trial(1, {{"x", 0}})});
  mixed.trials[1].parameters[0].distribution = {{"name", "CategoricalDistribution"},
                                                {"attributes", {{"choices", {"a"}}}}};
  CHECK(refusal(mixed).find("the parameter x is a range in one trial and a list of choices in another") !=
        std::string::npos);
}

}  // namespace
}  // namespace tune::optuna
