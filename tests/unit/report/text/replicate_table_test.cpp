// Replicates as people and programs read them.
#include "tuner/report/text/replicate_table.h"

#include "support/catch.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/replicated.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_table.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

// Trials 1 and 2 of the search, the first of which was lucky; 3 to 6 repeat them, and one of them fails.
StudyRows repeated_study() {
  StudyRows rows;
  rows.study = store::study_row();
  rows.study.limits = {{"trials", 2}};
  const auto add = [&](double value, std::optional<int> replicate_of = std::nullopt) {
    store::TrialRow row = store::completed(store::trial_row(static_cast<int>(rows.trials.size()) + 1), value);
    row.facts.replicate_of = replicate_of;
    rows.trials.push_back(std::move(row));
  };
  add(0.9);
  add(0.8);
  add(0.5, 1);
  add(0.79, 2);
  add(0.52, 1);
  add(0.81, 2);
  add(0.8, 2);
  store::TrialRow& failed = rows.trials.back();
  failed.state = TrialState::kFailed;
  failed.values.clear();
  failed.failure = "crash";
  return rows;
}

}  // namespace

TEST_CASE("the best is the one that holds over seeds, with its mean, its bound, its spread and its luck",
          "[report]") {
  const StudyRows rows = repeated_study();
  CHECK(best_trial(rows.trials, rows.study.objective)->number == 2);
  const std::string text = best_text(rows);
  CAPTURE(text);
  CHECK(text.starts_with("Best: trial 2 with validation:mAP 0.8\n  over 3 seeds: mean 0.7"));
  CHECK(text.find(", at least 0.") != std::string::npos);
  CHECK(text.find(", spread 0.0141421, 1 of 3 replicates failed\n") != std::string::npos);
  CHECK(text.find("  its first value: 0.8, of which luck ") != std::string::npos);
  CHECK(replicate_lines(priced_study(), 1).empty());
}

TEST_CASE("the leaderboard has no replicates, is in the order of the bounds, and shows them", "[report]") {
  const StudyRows rows = repeated_study();
  const Table table = leaderboard_table(rows, 5);
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0][0] == "2");
  CHECK(table.rows[1][0] == "1");
  const auto titled = [&](const std::string& title) {
    return std::any_of(table.columns.begin(), table.columns.end(),
                       [&](const Column& column) { return column.title == title; });
  };
  CHECK(titled("mean over seeds"));
  CHECK(titled("at least"));
  CHECK(run_summary(rows, {}, 0).starts_with("steel-legacy: running, 2 of 2 trials and 5 replicates"));
}

TEST_CASE("a table and JSON say of each repeated trial what its seeds gave", "[report]") {
  const StudyRows rows = repeated_study();
  const Table table = replicate_table(rows);
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0].front() == "2");
  CHECK(table.rows[0].back() == "0.79, 0.81; 1 of 3 replicates failed");
  CHECK(table.rows[1].back() == "0.5, 0.52");
  CHECK(table.rows[1][2] == "0.39");
  const Json json = replicates_json(rows);
  REQUIRE(json.size() == 2);
  const Json first = json.at(0);
  CHECK(first.at("trial") == 2);
  CHECK(first.at("replicates") == Json{4, 6, 7});
  CHECK(first.at("failed") == 1);
  CHECK(first.at("seeds") == 3);
  CHECK(first.at("fresh_values") == Json{0.79, 0.81});
  CHECK(first.at("bound").get<double>() < first.at("mean").get<double>());
  CHECK(replicates_json(rows, 1) == json.at(1));
  CHECK(replicates_json(rows, 3).is_null());
  CHECK(replicate_table(priced_study()).rows.empty());
  CHECK(trials_json(rows).at("trials").at(3).at("replicate_of") == 2);
  CHECK(trials_json(rows).at("trials").at(0).at("replicate_of").is_null());
  const Table trials = trial_table(rows, TrialColumns::kTerminal);
  CHECK(trials.rows[2].back() == "replicate of trial 1");
}

TEST_CASE("a goal to minimize bounds from above", "[report]") {
  StudyRows rows = repeated_study();
  rows.study.objective.goal = Goal::kMinimize;
  CHECK(best_text(rows).find(", at most ") != std::string::npos);
  CHECK(replicate_table(rows).columns[5].title == "at most");
}

}  // namespace tune::report
