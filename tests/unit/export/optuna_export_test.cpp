#include "tuner/export/optuna_export.h"

#include "support/catch.h"
#include "tuner/core/space.h"
#include "unit/store/store_fixture.h"

namespace tune::exporting {
namespace {

using store::OptunaState;

SearchSpace searched_space() {
  Parameter rate{"learning_rate", ParameterType::kFloat, 1e-4, 1, Scale::kLog, {}, {}, {}, {}};
  Parameter size{"batch_size", ParameterType::kInt, 8, 30, Scale::kLinear, 8, {}, {}, {}};
  Parameter optimizer{"optimizer", ParameterType::kCategorical, 0,  0, Scale::kLinear,
                      {},          {"sgd", Json{{"k", 1}}},     {}, {}};
  return SearchSpace({rate, size, optimizer});
}

struct ExportFixture {
  ExportFixture() : study(":memory:", store::OpenMode::kCreate) { study.create_study(store::study_row()); }
  void add(int number, TrialState state, std::vector<double> values = {}) {
    store::TrialRow row = store::trial_row(number);
    study.insert_trial(row);
    row.state = state;
    row.values = std::move(values);
    if (is_finished(state)) row.started = store::at(5), row.ended = store::at(9);
    study.update_trial(row);
  }
  store::StudyStore study;
};

const OrderedJson& distribution(const store::OptunaTrial& trial, std::size_t i) {
  return trial.parameters.at(i).distribution;
}

TEST_CASE("every state of a trial has its place in Optuna", "[optuna]") {
  ExportFixture f;
  f.add(1, TrialState::kCompleted, {0.5});
  f.add(2, TrialState::kStopped, {0.25});
  f.add(3, TrialState::kFailed);
  f.add(4, TrialState::kRunning);
  f.add(5, TrialState::kQueued);
  f.add(6, TrialState::kPaused, {0.1});
  f.study.insert_attempt(store::attempt_row(1, 1));
  f.study.insert_metrics({store::metric_row(1, "validation:mAP", 1, 0.3),
                          store::metric_row(1, "validation:mAP", 2, 0.5),
                          store::metric_row(1, "loss", 1, 9)});
  const store::OptunaStudy study = optuna_study(f.study, searched_space());
  CHECK(study.name == "steel-legacy");
  CHECK(study.goals == std::vector{Goal::kMaximize});
  CHECK(study.system_attributes.at("study:metric_names") == Json::array({"validation:mAP"}));
  const std::vector<OptunaState> states{OptunaState::kComplete, OptunaState::kPruned,  OptunaState::kFail,
                                        OptunaState::kRunning,  OptunaState::kWaiting, OptunaState::kPruned};
  REQUIRE(study.trials.size() == states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    CAPTURE(i);
    CHECK(study.trials[i].number == static_cast<int>(i));
    CHECK(study.trials[i].state == states[i]);
  }
  CHECK(study.trials[0].values == std::vector{0.5});
  REQUIRE(study.trials[0].reported.size() == 2);
  CHECK(study.trials[0].reported[1].value == 0.5);
  CHECK(study.trials[0].completed == store::at(9));
  CHECK(study.trials[5].user_attributes.at("tune:state") == "paused");
  CHECK_FALSE(study.trials[4].started);
  CHECK(study.trials[4].system_attributes.at("fixed_params").at("batch_size") == 8);
  CHECK(study.trials[4].parameters.empty());
}

TEST_CASE("a parameter has its distribution in Optuna's words", "[optuna]") {
  ExportFixture f;
  f.add(1, TrialState::kCompleted, {0.5});
  const store::OptunaTrial trial = optuna_study(f.study, searched_space()).trials.at(0);
  REQUIRE(trial.parameters.size() == 3);
  CHECK(distribution(trial, 0).dump() ==
        R"({"name":"FloatDistribution","attributes":{"step":null,"low":0.0001,"high":1.0,"log":true}})");
  CHECK(distribution(trial, 1).dump() ==
        R"({"name":"IntDistribution","attributes":{"log":false,"step":8,"low":8,"high":24}})");
  CHECK(distribution(trial, 2).dump() ==
        R"({"name":"CategoricalDistribution","attributes":{"choices":["sgd","{\"k\":1}"]}})");
  CHECK(trial.parameters[2].value == 0);
}

TEST_CASE("what lies outside the space keeps its value", "[optuna]") {
  ExportFixture f;
  store::TrialRow row = store::completed(store::trial_row(1), 0.5);
  row.parameters = {{"learning_rate", 3.0}, {"batch_size", 9}, {"optimizer", "adam"}, {"old", 1}};
  f.study.insert_trial(row);
  const store::OptunaTrial trial = optuna_study(f.study, searched_space()).trials.at(0);
  REQUIRE(trial.parameters.size() == 2);
  CHECK(distribution(trial, 0)["attributes"]["high"] == 3.0);
  CHECK(trial.parameters[1].value == 9);
  CHECK(trial.user_attributes.at("tune:parameter:optimizer") == "adam");
  CHECK(trial.user_attributes.at("tune:parameter:old") == 1);
}

}  // namespace
}  // namespace tune::exporting
