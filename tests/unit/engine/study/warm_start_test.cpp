#include "tuner/engine/study/warm_start.h"

#include <cmath>
#include <filesystem>

#include "tuner/core/error.h"
#include "tuner/engine/study/study_opening.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

const char* kEarlierSpec = R"json({
  "study": "first", "objective": {"metric": "loss", "goal": "minimize"},
  "parameters": {"lr": {"type": "float", "min": 1e-5, "max": 1, "scale": "log"},
                 "layers": {"type": "int", "min": 1, "max": 8},
                 "optimizer": {"type": "categorical", "values": ["sgd", "adam"]}},
  "fixed": {"batch_size": 16, "epochs": 3, "alpha": "0.0001", "steps": "40", "name": "7"},
  "limits": {"trials": 9}})json";

// A store with the study "first": completed trials 1 to 4, then one failed, stopped, running each.
class EarlierStore {
 public:
  // Trial `too_large` ran out of memory, and completed with fewer layers.
  explicit EarlierStore(int too_large = 0) {
    fs::create_directories(folder_.path() / "first");
    store::StudyStore study(folder_.path() / "first/study.db", store::OpenMode::kCreate);
    store::StudyRow row;
    row.name = "first";
    row.spec = Json::parse(kEarlierSpec);
    row.folder = "/";
    row.objective = {"loss", Goal::kMinimize, Reduce::kBest};
    row.state = store::StudyState::kFinished;
    study.create_study(row);
    const TrialState states[] = {TrialState::kCompleted, TrialState::kCompleted, TrialState::kCompleted,
                                 TrialState::kCompleted, TrialState::kFailed,    TrialState::kStopped,
                                 TrialState::kRunning};
    for (int number = 1; number <= 7; ++number) {
      store::TrialRow trial;
      trial.number = number;
      trial.parameters = {{"lr", 1e-5 * std::pow(5, number)}, {"layers", number}, {"optimizer", "sgd"}};
      trial.state = TrialState::kRunning;
      study.insert_trial(trial);
      trial.state = states[number - 1];
      if (trial.state == TrialState::kFailed) trial.failure = "oom";
      if (trial.state == TrialState::kCompleted || trial.state == TrialState::kStopped)
        trial.values = {0.5 * number};
      if (number == too_large) trial.facts.overrides = {{"layers", 1}};
      if (trial.state != TrialState::kRunning) study.update_trial(trial);
    }
  }
  fs::path path() const { return folder_.path(); }

  // A new spec with these parameters, which learns from "first".
  Spec spec(const std::string& parameters, const std::string& kind, const std::string& more = "") const {
    return parse_spec(R"({"study": "second", "objective": {"metric": "loss", "goal": "minimize"},
                          "parameters": )" +
                          parameters + R"(, "warm_start": [{"study": "first", "kind": ")" + kind + R"("}])" +
                          more + R"(, "limits": {"trials": 3}})",
                      "search.json", ".", SpecUse::kAskTell);
  }

 private:
  tests::ScratchFolder folder_;
};

const char* kSame = R"({"lr": {"type": "float", "min": 1e-5, "max": 1, "scale": "log"},
                        "layers": {"type": "int", "min": 1, "max": 8},
                        "optimizer": {"type": "categorical", "values": ["sgd", "adam"]}})";

std::vector<int> numbers(const WarmStartTrials& earlier) {
  std::vector<int> numbers;
  for (const EarlierTrial& trial : earlier.trials) numbers.push_back(trial.trial->number);
  return numbers;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("of an identical study every trial that ended with something to learn is taken") {
  const EarlierStore store;
  const WarmStartTrials earlier = read_warm_start(store.path(), store.spec(kSame, "identical"), 1);
  CHECK(numbers(earlier) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(earlier.trials[4].trial->failure == "oom");
  CHECK(earlier.trials[2].trial->values == std::vector<double>{1.5});
  CHECK(earlier.trials[2].trial->parameters.at("layers") == 3);
  CHECK(earlier.notices == std::vector<std::string>{"learns from 6 of 6 trials of \"first\" (identical)"});
}

TEST_CASE("of a related study completed trials are taken") {
  const EarlierStore store;
  const WarmStartTrials earlier = read_warm_start(store.path(), store.spec(kSame, "transfer"), 1);
  CHECK(numbers(earlier) == std::vector<int>{1, 2, 3, 4});
  CHECK(earlier.trials[0].kind == WarmStart::kTransfer);
  CHECK(earlier.trials[0].study == "first");
}

TEST_CASE("what completed only with other hyperparameters has failed for want of memory to a later study") {
  const EarlierStore store(2);
  const WarmStartTrials identical = read_warm_start(store.path(), store.spec(kSame, "identical"), 1);
  CHECK(numbers(identical) == std::vector<int>{1, 2, 3, 4, 5, 6});
  CHECK(identical.trials[1].trial->state == TrialState::kFailed);
  CHECK(identical.trials[1].trial->failure == "oom");
  CHECK(identical.trials[1].trial->values.empty());
  CHECK(numbers(read_warm_start(store.path(), store.spec(kSame, "transfer"), 1)) ==
        std::vector<int>{1, 3, 4});
}

TEST_CASE("points outside the new ranges are left out, and counted in a notice") {
  const EarlierStore store;
  const Spec narrow = store.spec(R"({"lr": {"type": "float", "min": 1e-4, "max": 1},
                                     "layers": {"type": "int", "min": 1, "max": 3},
                                     "optimizer": {"type": "categorical", "values": ["sgd"]}})",
                                 "identical");
  const WarmStartTrials earlier = read_warm_start(store.path(), narrow, 1);
  CHECK(numbers(earlier) == std::vector<int>{2, 3});
  CHECK(has(earlier.notices.at(0), "learns from 2 of 6 trials"));
  CHECK(has(earlier.notices.at(0), "4 outside the new ranges left out"));
  CHECK(earlier.counts.at(0).outside == 4);
}

TEST_CASE("fixed values stand in for parameters, and what is not searched any more is dropped") {
  const EarlierStore store;
  const Spec other = store.spec(R"({"lr": {"type": "float", "min": 1e-6, "max": 10},
                                    "batch_size": {"type": "float", "min": 1, "max": 64}})",
                                "identical");
  const WarmStartTrials earlier = read_warm_start(store.path(), other, 1);
  REQUIRE(earlier.trials.size() == 6);
  const Json& batch_size = earlier.trials[0].trial->parameters.at("batch_size");
  CHECK(batch_size == 16.0);
  CHECK(batch_size.is_number_float());
  CHECK_FALSE(earlier.trials[0].trial->parameters.contains("layers"));
  CHECK(has(earlier.notices.at(0), "its layers, optimizer is not searched here"));
}

TEST_CASE("a number that was fixed or is assumed as a text is a number where one is searched") {
  const EarlierStore store;
  const std::string parameters = R"({"alpha": {"type": "float", "min": 1e-5, "max": 1e-3, "scale": "log"},
                                     "steps": {"type": "int", "min": 1, "max": 64},
                                     "lr": {"type": "float", "min": 1e-6, "max": 10},
                                     "dropout": {"type": "float", "min": 0, "max": 0.5},
                                     "name": {"type": "categorical", "values": ["7", 7]}})";
  Spec spec = store.spec(parameters, "transfer");
  spec.warm_start[0].assume = {{"dropout", "0.25"}};
  const WarmStartTrials earlier = read_warm_start(store.path(), spec, 1);
  REQUIRE(earlier.trials.size() == 4);
  const ParameterSet& point = earlier.trials[0].trial->parameters;
  CHECK(point.at("alpha") == 0.0001);
  CHECK(point.at("steps") == 40);
  CHECK(point.at("dropout") == 0.25);
  CHECK(point.at("name") == "7");
}

TEST_CASE(
    "a parameter that the earlier study does not know leaves out identical trials, and is drawn for "
    "transferred ones") {
  const EarlierStore store;
  const std::string parameters = R"({"lr": {"type": "float", "min": 1e-6, "max": 10},
                                     "dropout": {"type": "float", "min": 0, "max": 0.5}})";
  const WarmStartTrials none = read_warm_start(store.path(), store.spec(parameters, "identical"), 1);
  CHECK(none.trials.empty());
  CHECK(has(none.notices.at(0), "6 without dropout left out"));
  const Spec spec = store.spec(parameters, "transfer");
  const WarmStartTrials drawn = read_warm_start(store.path(), spec, 1);
  REQUIRE(drawn.trials.size() == 4);
  CHECK(has(drawn.notices.at(0), "random values for its missing dropout"));
  CHECK(drawn.trials[0].trial->parameters.at("dropout") != drawn.trials[1].trial->parameters.at("dropout"));
  const WarmStartTrials again = read_warm_start(store.path(), spec, 1);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK_FALSE(spec.space.objection(drawn.trials[i].trial->parameters).has_value());
    CHECK(again.trials[i].trial->parameters == drawn.trials[i].trial->parameters);
  }
}

TEST_CASE("conditions of the new space decide what a point has") {
  const EarlierStore store;
  const std::string parameters = R"({"optimizer": {"type": "categorical", "values": ["sgd", "adam"]},
      "layers": {"type": "int", "min": 1, "max": 8, "when": {"optimizer": "adam"}},
      "lr": {"type": "float", "min": 1e-6, "max": 10, "when": {"optimizer": "sgd"}}})";
  const Spec spec = store.spec(parameters, "identical");
  const WarmStartTrials earlier = read_warm_start(store.path(), spec, 1);
  REQUIRE(earlier.trials.size() == 6);
  for (const EarlierTrial& trial : earlier.trials) {
    CHECK_FALSE(spec.space.objection(trial.trial->parameters).has_value());
    CHECK(trial.trial->parameters.size() == 2);
  }
}

TEST_CASE("what cannot be learned from is refused with its place, its cause and a cure") {
  const EarlierStore store;
  const auto problem = [&](Spec spec) {
    try {
      read_warm_start(store.path(), spec, 1);
    } catch (const SpecError& error) {
      REQUIRE(error.problems().size() == 1);
      const Problem& found = error.problems().front();
      CHECK(found.line > 0);
      return found.pointer + " " + found.message + " | " + found.hint;
    }
    return std::string();
  };
  Spec typo = store.spec(kSame, "identical");
  typo.warm_start[0].study = "frist";
  CHECK(has(problem(typo), "/warm_start/0/study there is no study \"frist\""));
  CHECK(has(problem(typo), "did you mean \"first\"?"));
  Spec self = store.spec(kSame, "identical");
  self.study = "first";
  CHECK(has(problem(self), "cannot learn from itself"));
  Spec goal = store.spec(kSame, "transfer");
  goal.objective.goal = Goal::kMaximize;
  CHECK(has(problem(goal), "\"first\" minimizes loss, and this study maximizes loss"));
  Spec metric = store.spec(kSame, "identical");
  metric.objective.metric = "error";
  CHECK(has(problem(metric), "\"transfer\" learns from another metric too"));
  metric.warm_start[0].kind = WarmStart::kTransfer;
  CHECK(problem(metric).empty());
  CHECK(has(problem(store.spec(R"({"width": {"type": "int", "min": 1, "max": 8}})", "transfer")),
            "shares no parameter with this study | it searched layers, lr, optimizer"));
}

TEST_CASE("the copies live in the new study's own file") {
  const EarlierStore store;
  const Spec spec = store.spec(kSame, "identical");
  {
    const OpenedStudy study = open_study(store.path(), spec, spec.text, {});
    CHECK(study.is_new);
    CHECK(study.notices.size() == 1);
    CHECK(study.row.facts.warm_start.at(0).trials == 6);
  }
  fs::remove_all(store.path() / "first");
  const OpenedStudy again = open_study(store.path(), spec, spec.text, {});
  CHECK_FALSE(again.is_new);
  const History history = again.store.load_history();
  REQUIRE(history.earlier != nullptr);
  CHECK(history.earlier->size() == 6);
  CHECK(history.earlier->at(5).trial->state == TrialState::kStopped);
  CHECK(history.trials.empty());
}

TEST_CASE("a warm start that is not possible makes no study") {
  const EarlierStore store;
  Spec spec = store.spec(kSame, "identical");
  spec.warm_start[0].study = "nowhere";
  CHECK_THROWS_AS(open_study(store.path(), spec, spec.text, {}), SpecError);
  CHECK_FALSE(fs::exists(store.path() / "second"));
}

TEST_CASE("an assumed value stands for what the earlier trials did not have, and is said") {
  const EarlierStore store;
  const std::string parameters = R"({"lr": {"type": "float", "min": 1e-6, "max": 10},
                                     "dropout": {"type": "float", "min": 0, "max": 0.5}})";
  for (const char* kind : {"identical", "transfer"}) {
    Spec spec = store.spec(parameters, kind);
    spec.warm_start[0].assume = {{"dropout", 0.25}, {"lr", 1.0}};
    const WarmStartTrials earlier = read_warm_start(store.path(), spec, 1);
    REQUIRE(earlier.trials.size() == (std::string(kind) == "identical" ? 6 : 4));
    for (const EarlierTrial& trial : earlier.trials) {
      CHECK(trial.trial->parameters.at("dropout") == 0.25);
      CHECK(trial.trial->parameters.at("lr") != 1.0);
    }
    CHECK(has(earlier.notices.at(0), "; dropout taken as 0.25"));
    CHECK(has(earlier.notices.at(0), "; its own lr instead of the one assumed"));
    CHECK_FALSE(has(earlier.notices.at(0), "left out"));
  }
}

}  // namespace
}  // namespace tune::engine
