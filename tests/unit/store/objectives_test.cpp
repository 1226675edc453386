// Rows of studies with two objectives.
#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

StudyRow row_of_two() {
  StudyRow row = study_row();
  row.spec["objectives"] = {{{"metric", "validation:mAP"}, {"goal", "maximize"}},
                            {{"metric", "latency_ms"}, {"goal", "minimize"}, {"reduce", "last"}}};
  return row;
}

TrialRow ended(int number, TrialState state, std::vector<double> values) {
  TrialRow row = completed(trial_row(number), 0);
  row.state = state;
  row.values = std::move(values);
  return row;
}

TEST_CASE("the second objective of a study is what its spec says", "[store]") {
  TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  store.create_study(row_of_two());
  const StudyRow row = store.study();
  CHECK(row.objective.metric == "validation:mAP");
  REQUIRE(row.second);
  CHECK(row.second->metric == "latency_ms");
  CHECK(row.second->goal == Goal::kMinimize);
  CHECK(row.second->reduce == Reduce::kLast);
}

TEST_CASE("a history with two objectives has the values and curves of both", "[store]") {
  TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  store.create_study(row_of_two());
  store.insert_trial(trial_row(1));
  store.insert_metrics({metric_row(1, "validation:mAP", 1, 0.5), metric_row(1, "latency_ms", 1, 20),
                        metric_row(1, "latency_ms", 2, 19)});
  store.update_trial(ended(1, TrialState::kCompleted, {0.5, 19}));
  const History history = store.load_history();
  REQUIRE(history.second);
  CHECK(history.trials[0]->values == std::vector<double>{0.5, 19});
  CHECK(history.trials[0]->curve.size() == 1);
  REQUIRE(history.trials[0]->second_curve.size() == 2);
  CHECK(history.trials[0]->second_curve[1].value == 19);
}

TEST_CASE("a completed trial has a value of both objectives, one that was stopped may have the first",
          "[store]") {
  const auto [state, values, said] = GENERATE(table<TrialState, std::vector<double>, std::string>({
      {TrialState::kCompleted, {0.5, 19}, ""},
      {TrialState::kStopped, {0.5}, ""},
      {TrialState::kStopped, {}, ""},
      {TrialState::kCompleted, {0.5}, "trial 1 is completed, and has 1 value of its 2 objectives"},
      {TrialState::kStopped, {0.5, 1, 2}, "trial 1 is stopped, and has 3 values of its 2 objectives"},
  }));
  TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  store.create_study(row_of_two());
  store.insert_trial(trial_row(1));
  store.update_trial(ended(1, state, values));
  for (const auto& message : {message_of([&] { store.trials(); }), message_of([&] { store.trial(1); }),
                              message_of([&] { store.load_history(); })}) {
    CAPTURE(message);
    CHECK(message.empty() == said.empty());
    CHECK(message.find(said) != std::string::npos);
  }
}

TEST_CASE("columns that are not the first objective of the spec are damage", "[store]") {
  TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  StudyRow row = row_of_two();
  row.objective.metric = "latency_ms";
  CHECK(message_of([&] {
          store.create_study(row);
          store.study();
        }).find("the column metric") != std::string::npos);
}

TEST_CASE("a second objective that no spec could have is damage", "[store]") {
  TemporaryFolder folder;
  StudyStore store(folder / "study.db", OpenMode::kCreate);
  StudyRow row = row_of_two();
  row.spec["objectives"][1]["goal"] = "sideways";
  CHECK(message_of([&] {
          store.create_study(row);
          store.study();
        }).find("the second objective of its study's spec is damaged") != std::string::npos);
}

}  // namespace
}  // namespace tune::store
