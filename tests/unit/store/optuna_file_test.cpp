#include "store/optuna_file.h"

#include <cmath>
#include <fstream>

#include "support/catch.h"
#include "support/golden_optuna.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

OptunaStudy small_study() {
  OptunaStudy study;
  study.name = "steel";
  study.goals = {Goal::kMaximize, Goal::kMinimize};
  study.user_attributes = {{"tune:seed", 7}};
  study.system_attributes = {{"study:metric_names", {"accuracy", "loss"}}};
  OptunaTrial trial;
  trial.state = OptunaState::kComplete;
  trial.started = at(0);
  trial.completed = at(1'234);
  trial.parameters = {{"lr", 0.1, {{"name", "FloatDistribution"}, {"attributes", {{"low", 0.0}}}}}};
  trial.values = {0.5, HUGE_VAL};
  trial.reported = {{1, 0.25}, {2, std::nan("")}, {3, -HUGE_VAL}};
  trial.user_attributes = {{"note", "a \"quoted\" one"}};
  study.trials = {trial, {}};
  study.trials[1].number = 1;
  study.trials[1].system_attributes = {{"fixed_params", {{"lr", 0.2}}}};
  return study;
}

TEST_CASE("a storage of Optuna that was written is read as it was", "[optuna]") {
  const TemporaryFolder folder;
  const OptunaStudy study = small_study();
  write_optuna_file(folder / "a.db", study);
  CHECK(optuna_studies(folder / "a.db") == std::vector<std::string>{"steel"});
  const OptunaStudy read = read_optuna_file(folder / "a.db", "steel");
  CHECK(read.goals == study.goals);
  CHECK(read.user_attributes == study.user_attributes);
  CHECK(read.system_attributes == study.system_attributes);
  REQUIRE(read.trials.size() == 2);
  const OptunaTrial &first = read.trials[0], &written = study.trials[0];
  CHECK(first.state == written.state);
  CHECK(first.started == written.started);
  CHECK(first.completed == written.completed);
  REQUIRE(first.parameters.size() == 1);
  CHECK(first.parameters[0].value == 0.1);
  CHECK(first.parameters[0].distribution == written.parameters[0].distribution);
  CHECK(first.values == written.values);
  REQUIRE(first.reported.size() == 3);
  CHECK(std::isnan(first.reported[1].value));
  CHECK(first.reported[2].value == -HUGE_VAL);
  CHECK(first.user_attributes == written.user_attributes);
  CHECK(read.trials[1].state == OptunaState::kWaiting);
  CHECK_FALSE(read.trials[1].started);
  CHECK(read.trials[1].system_attributes == study.trials[1].system_attributes);
}

TEST_CASE("nothing is written over, and nothing half written is left", "[optuna]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.db") << "mine";
  CHECK(code_of([&] { write_optuna_file(folder / "a.db", small_study()); }) == ExitCode::kConflict);
  CHECK(code_of([&] { write_optuna_file(folder / "none/a.db", small_study()); }) == ExitCode::kEnvironment);
  OptunaStudy twice = small_study();
  twice.goals.push_back(Goal::kMaximize);
  twice.trials[0].parameters.push_back(twice.trials[0].parameters[0]);  // a name that is there already
  CHECK(code_of([&] { write_optuna_file(folder / "b.db", twice); }) != ExitCode::kOk);
  CHECK_FALSE(std::filesystem::exists(folder / "b.db"));
  CHECK_FALSE(std::filesystem::exists(folder / "b.db.part"));
}

TEST_CASE("a storage that Optuna 5 has made is read", "[optuna]") {
  const TemporaryFolder folder;
  tests::restore_golden_optuna(folder / "a.db");
  CHECK(optuna_studies(folder / "a.db") == std::vector<std::string>{"every kind", "two", "conditional"});
  const OptunaStudy study = read_optuna_file(folder / "a.db", "every kind");
  CHECK(study.goals == std::vector{Goal::kMaximize});
  CHECK(study.system_attributes.at("study:metric_names") == Json::array({"accuracy"}));
  REQUIRE(study.trials.size() == 7);
  const auto state = [&](std::size_t i) { return study.trials[i].state; };
  CHECK(state(0) == OptunaState::kComplete);
  CHECK(state(2) == OptunaState::kPruned);
  CHECK(state(3) == OptunaState::kFail);
  CHECK(study.trials[4].values == std::vector{HUGE_VAL});
  CHECK(state(6) == OptunaState::kWaiting);
  CHECK(study.trials[0].parameters.size() == 4);
  CHECK(study.trials[0].reported.size() == 3);
  CHECK(study.trials[0].started);
  CHECK(read_optuna_file(folder / "a.db", "two").trials[1].values.size() == 2);
  CHECK(message_of([&] { read_optuna_file(folder / "a.db", "too"); }).find("has no study \"too\"") !=
        std::string::npos);
}

TEST_CASE("what is no storage of Optuna is said to be none", "[optuna]") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { optuna_studies(folder / "a.db"); }) == ExitCode::kNotFound);
  make_study(folder / "study.db");
  CHECK(message_of([&] {
          optuna_studies(folder / "study.db");
        }).find("is no storage of Optuna: it has no table studies") != std::string::npos);
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  CHECK(code_of([&] { optuna_studies(folder / "text.db"); }) == ExitCode::kEnvironment);
}

}  // namespace
}  // namespace tune::store
