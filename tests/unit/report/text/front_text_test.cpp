// Studies with two objectives, as people and programs read them.
#include <algorithm>

#include "support/catch.h"
#include "tuner/report/study/study_document.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_report.h"
#include "tuner/report/text/trial_table.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

StudyRows study_of_two(const char* prefer = R"({"best": "accuracy", "with": {"latency_ms": {"max": 20}}})") {
  StudyRows rows;
  rows.study = store::study_row();
  rows.study.name = "pair";
  rows.study.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
  rows.study.second = Objective{"latency_ms", Goal::kMinimize, Reduce::kLast};
  rows.study.spec["metrics"] = {{{"name", "accuracy"}}, {{"name", "latency_ms"}}, {{"name", "loss"}}};
  if (*prefer != '\0') rows.study.spec["promote"] = {{"model", "m"}, {"prefer", Json::parse(prefer)}};
  rows.study.state = store::StudyState::kFinished;
  rows.trials = {ended(1, TrialState::kCompleted, {0.95, 40}), ended(2, TrialState::kCompleted, {0.85, 30}),
                 ended(3, TrialState::kCompleted, {0.9, 12}), ended(4, TrialState::kStopped, {0.99}),
                 ended(5, TrialState::kFailed, {})};
  rows.trials[4].failure = "crash";
  rows.attempts = {leased(1, 1, 10), leased(2, 1, 20), leased(3, 1, 30)};
  return rows;
}

std::vector<std::string> titles_of(const Table& table) {
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  return titles;
}

TEST_CASE("the best of two objectives is their front, with the trial that the spec prefers", "[report]") {
  CHECK(best_text(study_of_two()) ==
        "Front of accuracy and latency_ms: 2 trials that no other one beats in both\n"
        "trial  accuracy  latency_ms  time  preferred  hyperparameters\n"
        "    1      0.95          40   10s             batch_size=8 learning_rate=0.001 optimizer=sgd\n"
        "    3       0.9          12   30s  yes        batch_size=8 learning_rate=0.003 optimizer=sgd\n"
        "\n"
        "Preferred (best accuracy with latency_ms of at most 20): trial 3 with accuracy 0.9, latency_ms 12\n"
        "  batch_size     8\n"
        "  learning_rate  0.003\n"
        "  optimizer      sgd\n");
  const std::string strict =
      best_text(study_of_two(R"({"best": "accuracy", "with": {"latency_ms": {"max": 5}}})"));
  CHECK(strict.find("None of them is what the spec prefers: best accuracy with latency_ms of at most 5\n") !=
        std::string::npos);
  CHECK(best_text(study_of_two("")).find("refer") == std::string::npos);
}

TEST_CASE("tables of trials have a column for the second objective, and mark the front", "[report]") {
  const StudyRows rows = study_of_two();
  const Table table = trial_table(rows, TrialColumns::kTerminal);
  CHECK(titles_of(table) == std::vector<std::string>{"trial", "state", "accuracy", "latency_ms", "front",
                                                     "attempts", "time", "hyperparameters", "reason"});
  CHECK(table.rows[0][3] == "40");
  CHECK(table.rows[0][4] == "yes");
  CHECK(table.rows[1][4].empty());  // trial 3 beats it in both
  CHECK(table.rows[3][3].empty());
  const Table all = trial_table(rows, TrialColumns::kEverything);
  for (const auto& row : all.rows) CHECK(row.size() == all.columns.size());
  CHECK(titles_of(all)[3] == "latency_ms");
  const Table page = trial_table(rows, TrialColumns::kPage);
  for (const auto& row : page.rows) CHECK(row.size() == page.columns.size());
  // The leaderboard of a study with one objective has no such columns.
  const std::vector<std::string> single = titles_of(trial_table(priced_study(), TrialColumns::kEverything));
  CHECK(std::find(single.begin(), single.end(), "front") == single.end());
}

TEST_CASE("a front is there for programs too", "[report]") {
  const StudyRows rows = study_of_two();
  const Json trials = trials_json(rows);
  CHECK(trials["objectives"] == Json::parse(R"([{"metric": "accuracy", "goal": "maximize"},
                                                {"metric": "latency_ms", "goal": "minimize"}])"));
  CHECK(trials["trials"][0]["front"] == true);
  CHECK(trials["trials"][1]["front"] == false);
  CHECK(trials["trials"][0]["values"] == Json::parse("[0.95, 40.0]"));
  const Json status = status_json(rows);
  CHECK(status["best"]["trial"] == 3);
  CHECK(status["best"]["values"] == Json::parse("[0.9, 12.0]"));
  REQUIRE(status["front"].size() == 2);
  CHECK(status["front"][1]["trial"] == 3);
  CHECK(status_json(study_of_two(""))["best"]["trial"].is_null());
  CHECK_FALSE(status_json(priced_study()).contains("front"));
}

TEST_CASE("where a study with two objectives stands is said by the ends of its front", "[report]") {
  const std::string text = status_text(study_of_two(), 0);
  CHECK(text.find("  front: 2 trials, accuracy 0.95 to 0.9, latency_ms 40 to 12\n") != std::string::npos);
  CHECK(text.find("  preferred: trial 3, accuracy 0.9, latency_ms 12, ") != std::string::npos);
  const std::string end = run_summary(study_of_two(), {}, 0);
  CHECK(end.find("\nFront of accuracy and latency_ms: 2 trials") != std::string::npos);
  CHECK(end.find("trial  state      accuracy  latency_ms  time") != std::string::npos);
  CHECK(end.find("Leaderboard") == std::string::npos);
}

TEST_CASE("a report shows the front as a chart and as a table", "[report]") {
  StudyMaterial material;
  material.rows = study_of_two();
  const std::vector<Chart> charts = front_charts(material);
  REQUIRE(charts.size() == 1);
  CHECK(charts[0].title == "accuracy against latency_ms");
  CHECK(charts[0].x.title == "latency_ms");
  REQUIRE(charts[0].series.size() == 3);  // the line of the front, completed trials, the preferred one
  CHECK(charts[0].series[0].role == Role::kFront);
  CHECK(charts[0].series[0].trials == std::vector<int>{3, 1});
  CHECK(charts[0].series[2].role == Role::kBest);
  CHECK(charts[0].series[2].trials == std::vector<int>{3});
  CHECK(charts[0].summary ==
        "3 completed trials; on the Pareto front, where no other completed trial is better in both, are 2; "
        "the one "
        "that stands out is preferred.");
  const Document document = study_document(material);
  CHECK(document.sections.front().title == "Pareto front");
  const std::string markdown = document_markdown(document);
  CHECK(markdown.find("Preferred is trial 3: best accuracy with latency_ms of at most 20.") !=
        std::string::npos);
  CHECK(markdown.find("Leaderboard") == std::string::npos);
  const Json json = study_document_json(material);
  CHECK(json["objectives"][1]["reduce"] == "last");
  CHECK(json["trials"][0]["front"] == true);
}

TEST_CASE("a trial of two objectives is shown with both values, and whether it is on the front", "[report]") {
  TrialRows rows;
  rows.study = study_of_two().study;
  rows.trial = study_of_two().trials[2];
  rows.on_front = true;
  CHECK(trial_text(rows, 0).starts_with("pair/3: completed, accuracy 0.9, latency_ms 12 (on the front)\n"));
  CHECK(trial_details_json(rows)["front"] == true);
}

}  // namespace
}  // namespace tune::report
