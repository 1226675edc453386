#include "tuner/report/text/study_summary.h"

#include <algorithm>
#include <limits>

#include "support/catch.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/trial_report.h"
#include "tuner/report/text/trial_table.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

using store::completed;
using store::study_row;
using store::trial_row;

TEST_CASE("the end of a run names the best, the leaders, every cost and the promoted model", "[report]") {
  const store::PromotionDecision promotion{
      "steel-detector", true, 2, 3, "0.4125 is better than 0.25", "/store/models/steel-detector/current"};
  CHECK(run_summary(priced_study(), promotion, 100) ==
        "steel-legacy: finished (trial limit), 4 of 8 trials: 2 completed, 1 stopped, 1 failed, 2m 05s\n"
        "\n"
        "Best: trial 2 with validation:mAP 0.4125\n"
        "  batch_size     8\n"
        "  learning_rate  0.002\n"
        "  optimizer      sgd\n"
        "\n"
        "Leaderboard:\n"
        "trial  validation:mAP    time   cost  hyperparameters\n"
        "    2          0.4125     50s  $0.10  batch_size=8 learning_rate=0.002 optimizer=sgd\n"
        "    1            0.25  1m 50s  $0.11  batch_size=8 learning_rate=0.001 optimizer=sgd\n"
        "\n"
        "Time and cost:\n"
        "trial  state      validation:mAP    time     cost  reason\n"
        "    1  completed            0.25  1m 50s    $0.11\n"
        "    2  completed          0.4125     50s    $0.10\n"
        "    3  stopped               0.9     20s  $0.0200  worse than the median\n"
        "    4  failed                         5s  $0.0050  crash\n"
        "Total: device time 3m 55s, $0.23\n"
        "  completed trials: device time 3m 30s, $0.21\n"
        "  stopped trials: device time 20s, $0.0200\n"
        "  failed trials: device time 5s, $0.0050\n"
        "  of these, attempts that were run again: device time 10s, $0.0100\n"
        "\n"
        "Failed:\n"
        "  trial 4: crash: exit code 3\n"
        "\n"
        "Promoted: steel-detector version 3 (0.4125 is better than 0.25)\n"
        "  /store/models/steel-detector/current\n");
}

TEST_CASE("values of an image-by-image split are marked as what may leak", "[report]") {
  const auto warning_of = [](const Json& trainer) {
    StudyRows rows = priced_study();
    if (!trainer.is_null()) rows.study.spec["trainer"] = trainer;
    const std::string warning = leak_warning(rows.study);
    CHECK((best_text(rows).find("Warning: validation:mAP may leak") != std::string::npos) != warning.empty());
    CHECK(run_summary_json(rows, {}).contains("warning") != warning.empty());
    return warning;
  };
  CHECK(warning_of({{"task", "detection"}, {"data", "d"}}) != "");
  CHECK(warning_of({{"data", "d"}, {"split", {{"grouping", "image"}}}}) != "");
  CHECK(warning_of({{"data", "d"}, {"split", {{"seed", 3}}}}) != "");
  // Whether the data has parts of its own is not known here.
  CHECK(warning_of({{"data", "d"}})
            .find("may leak: data that brings no part of its own to validate on is split") !=
        std::string::npos);
  CHECK(warning_of({{"data", "d"}, {"split", {{"fractions", {0.8, 0.2}}}}})
            .find("may leak: the data is split") != std::string::npos);
  CHECK(warning_of({{"data", "d"}, {"split", {{"grouping", "content"}}}}).empty());
  CHECK(warning_of({{"data", "d"}, {"validation", "v"}}).empty());
  // Texts are not crops of one another.
  StudyRows texts = priced_study();
  texts.study.spec["trainer"] = {{"task", "language_model"}, {"data", "d"}};
  texts.study.facts.probes["here"].unit = "tokens";
  CHECK(leak_warning(texts.study).empty());
  CHECK(warning_of(nullptr).empty());
}

TEST_CASE("a summary of many trials leaves the list to another command", "[report]") {
  StudyRows rows = priced_study();
  for (int number = 5; number <= 60; ++number) rows.trials.push_back(ended(number, TrialState::kFailed, {}));
  const std::string text = run_summary(rows, std::nullopt, 100);
  CHECK(text.find("`tune trials steel-legacy` lists every trial.") != std::string::npos);
  CHECK(text.find("completed            0.25") == std::string::npos);
}

TEST_CASE("trials that failed in the same way are told once, with their count and numbers", "[report]") {
  StudyRows rows;
  rows.study = study_row();
  for (int number = 1; number <= 12; ++number) {
    rows.trials.push_back(ended(number, TrialState::kFailed, {}, "exit code 3: no such file"));
    rows.trials.back().failure = "crash";
  }
  for (const int number : {2, 5}) {
    store::TrialRow& trial = rows.trials[static_cast<std::size_t>(number - 1)];
    trial.failure = "timeout";
    trial.reason = "limits.trial_time ran out; loss had reached 0." + std::to_string(number) + " by step 3";
  }
  const std::string crashes = "10 trials (1, 3, 4, 6, 7, 8, 9, 10, ...): crash: exit code 3: no such file\n";
  const std::string timeouts = "2 trials (2, 5): timeout: limits.trial_time ran out\n";
  for (const std::string& text : {run_summary(rows, std::nullopt, 200), status_text(rows, 200)}) {
    CAPTURE(text);
    CHECK(text.find(crashes) != std::string::npos);
    CHECK(text.find(timeouts) != std::string::npos);
    CHECK(text.find("no such file") == text.rfind("no such file"));
  }
}

TEST_CASE("a study in which nothing completed says so", "[report]") {
  StudyRows rows;
  rows.study = study_row();
  CHECK(best_text(rows) == "no trial of steel-legacy has completed with a value yet\n");
  CHECK(best_json(std::nullopt) == Json{{"trial", nullptr}});
  CHECK(run_summary(rows, std::nullopt, 80).find("no trials yet") != std::string::npos);
  const store::PromotionDecision nothing{"steel-detector", false, 0, 0, "no trial has completed", ""};
  CHECK(run_summary(rows, nothing, 80).find("Not promoted: no trial has completed") != std::string::npos);
}

TEST_CASE("a study that pauses is not said to have been interrupted", "[report]") {
  StudyRows rows = priced_study();
  rows.study.state = store::StudyState::kInterrupted;
  rows.study.finish_reason = "paused: 5 trials in a row failed";
  CHECK(run_summary(rows, std::nullopt, 80).starts_with("steel-legacy: paused: 5 trials in a row failed, "));
  rows.study.finish_reason = "interrupted";
  CHECK(run_summary(rows, std::nullopt, 80).starts_with("steel-legacy: interrupted, "));
}

TEST_CASE("who has paused a study is said as JSON too", "[report]") {
  StudyRows rows = priced_study();
  CHECK(status_json(rows).at("held").is_null());
  rows.study.facts.held = "ada@host";
  CHECK(status_json(rows).at("held") == "ada@host");
}

TEST_CASE("the best as JSON has the keys of an ask-tell answer", "[report]") {
  const StudyRows rows = priced_study();
  const Json json = best_json(best_trial(rows.trials, rows.study.objective));
  CHECK(json == Json{{"trial", 2}, {"value", 0.4125}, {"parameters", trial_row(2).parameters}});
}

TEST_CASE("non-finite values leave as texts, not as null", "[report]") {
  StudyRows rows = priced_study();
  rows.trials[0].values = {std::numeric_limits<double>::quiet_NaN()};
  const Json trial = trials_json(rows).at("trials").at(0);
  CHECK(trial.at("value") == "NaN");
  CHECK(csv_table(trial_table(rows, TrialColumns::kEverything)).find("\r\n1,completed,nan,") !=
        std::string::npos);
  CHECK(value_text(rows.trials[0]) == "nan");
}

TEST_CASE("a winner that a limit cut short is marked wherever it is shown", "[report]") {
  StudyRows rows = priced_study();
  CHECK(run_summary(rows, std::nullopt, 0).find("cut short") == std::string::npos);
  rows.trials[1].cut = "trial_time";
  CHECK(best_text(rows).find("It was cut short by limits.trial_time, and might") != std::string::npos);
  const Table leaders = leaderboard_table(rows, 5);
  REQUIRE(leaders.columns.at(4).title == "cut short by");
  CHECK(leaders.rows.at(0).at(4) == "trial_time");
  CHECK(leaders.rows.at(1).at(4).empty());
  const Table all = trial_table(rows, TrialColumns::kEverything);
  const auto column = std::find_if(all.columns.begin(), all.columns.end(),
                                   [](const Column& each) { return each.title == "cut"; });
  REQUIRE(column != all.columns.end());
  CHECK(all.rows.at(1).at(static_cast<std::size_t>(column - all.columns.begin())) == "trial_time");
}

TEST_CASE("a trial that ran with other hyperparameters says so wherever it is shown", "[report]") {
  StudyRows rows = priced_study();
  CHECK(run_summary(rows, std::nullopt, 0).find("ran with") == std::string::npos);
  rows.trials[1].facts.overrides = {{"batch_size", 4}};
  CHECK(parameter_lines({{"batch_size", 16}, {"lr", 0.5}}, rows.trials[1].facts.overrides) ==
        "  batch_size  4 (suggested 16)\n  lr          0.5\n");
  CHECK(best_text(rows).find("It ran with batch_size=4, since it ran out of memory as it was suggested.") !=
        std::string::npos);
  CHECK(leaderboard_table(rows, 5).rows.at(0).back().find("(ran with batch_size=4)") != std::string::npos);
  CHECK(leaderboard_table(rows, 5).rows.at(1).back().find("ran with") == std::string::npos);
  const Table all = trial_table(rows, TrialColumns::kEverything);
  CHECK(all.columns.back().title == "overrides");
  CHECK(all.rows.at(0).back().empty());
  CHECK(all.rows.at(1).back() == R"({"batch_size":4})");
  CHECK(trials_json(rows).at("trials").at(1).at("overrides") == Json{{"batch_size", 4}});
  CHECK(trials_json(rows).at("trials").at(0).at("overrides") == Json::object());
  CHECK(best_json(rows.trials[1]).at("overrides") == Json{{"batch_size", 4}});
  CHECK_FALSE(best_json(rows.trials[0]).contains("overrides"));
}

TEST_CASE("one trial is not called trials", "[report]") {
  StudyRows rows = priced_study();
  rows.trials.resize(1);
  rows.study.limits = {{"trials", 1}};
  CHECK(status_text(rows, 0).find("1 of 1 trial: ") != std::string::npos);
  rows.study.limits = Json::object();
  CHECK(status_text(rows, 0).find(", 1 trial: ") != std::string::npos);
}

TEST_CASE("trials that were enqueued beyond the limit are counted apart from those that it allows",
          "[report]") {
  StudyRows rows = priced_study();
  rows.study.limits = {{"trials", 3}};
  CHECK(status_text(rows, 0).find("4 of 3 trials: ") != std::string::npos);  // the limit was lowered
  rows.trials[2].facts.explanation = rows.trials[3].facts.explanation = {{"strategy", "enqueue"}};
  CHECK(status_text(rows, 0).find("3 of 3 trials, 1 enqueued beyond them: ") != std::string::npos);
  rows.study.limits = {{"trials", 4}};
  CHECK(status_text(rows, 0).find("4 of 4 trials: ") != std::string::npos);
}

TEST_CASE("a study that searches nothing shows the values that its trials were trained with", "[report]") {
  StudyRows rows;
  rows.study = store::study_row();
  rows.study.spec["parameters"] = Json::object();
  rows.study.spec["fixed"] = {{"learning_rate", 0.02}, {"batch_size", 8}};
  store::TrialRow trial = completed(trial_row(1), 0.9);
  trial.parameters = {};
  rows.trials = {trial};
  CHECK(best_text(rows) ==
        "Best: trial 1 with validation:mAP 0.9\n  batch_size     8\n  learning_rate  0.02\n");
  TrialRows one;
  one.study = rows.study;
  one.trial = trial;
  const std::string text = trial_text(one, 0);
  CAPTURE(text);
  CHECK(text.find("\nFixed:\n  batch_size     8\n  learning_rate  0.02\n") != std::string::npos);
  CHECK(text.find("Hyperparameters") == std::string::npos);
  CHECK(trial_details_json(one).at("fixed") == rows.study.spec["fixed"]);
  // They stand apart from what is searched, and `best` names what was found.
  rows.study.spec["parameters"] = {{"momentum", {{"type", "float"}}}};
  rows.trials[0].parameters = {{"momentum", 0.5}};
  one.study = rows.study;
  one.trial = rows.trials[0];
  CHECK(best_text(rows) == "Best: trial 1 with validation:mAP 0.9\n  momentum  0.5\n");
  CHECK(trial_text(one, 0).find("\nHyperparameters:\n  momentum  0.5\n\nFixed:\n  batch_size") !=
        std::string::npos);
}

}  // namespace
}  // namespace tune::report
