#include <cmath>
#include <limits>
#include <set>

#include "support/catch.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/model_report.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_report.h"
#include "tuner/report/text/trial_table.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

using store::attempt_row;
using store::completed;
using store::study_row;
using store::trial_row;

store::AttemptRow leased(int trial, int attempt, double seconds, std::vector<std::string> devices = {}) {
  store::AttemptRow row = attempt_row(trial, attempt);
  row.state = store::AttemptState::kExited;
  row.lease_seconds = seconds;
  row.devices = std::move(devices);
  return row;
}

store::TrialRow ended(int number, TrialState state, std::vector<double> values,
                      const std::string& reason = {}) {
  store::TrialRow row = completed(trial_row(number), 0);
  row.state = state;
  row.values = std::move(values);
  row.reason = reason;
  return row;
}

StudyRows priced_study() {
  StudyRows rows;
  rows.study = study_row();
  rows.study.spec["cost"]["usd_per_hour"] = 3.6;
  rows.study.state = store::StudyState::kFinished;
  rows.study.finish_reason = "trial limit";
  rows.study.elapsed_seconds = 125;
  rows.trials = {ended(1, TrialState::kCompleted, {0.25}), ended(2, TrialState::kCompleted, {0.4125}),
                 ended(3, TrialState::kStopped, {0.9}, "worse than the median"),
                 ended(4, TrialState::kFailed, {}, "exit code 3")};
  rows.trials[3].failure = "crash";
  rows.attempts = {leased(1, 1, 10), leased(1, 2, 100), leased(2, 1, 50, {"GPU-1", "GPU-2"}),
                   leased(3, 1, 20), leased(4, 1, 5)};
  return rows;
}

TEST_CASE("device hours count every device of a lease, and one where there is none", "[cost]") {
  const StudyRows rows = priced_study();
  const CostReport costs(rows.trials, rows.attempts, 3.6);
  CHECK(costs.of(2).total.device_hours == Approx(100.0 / 3600));
  CHECK(costs.of(2).total.lease_seconds == 50);
  CHECK(*costs.of(2).total.usd == Approx(0.1));
  CHECK(costs.of(1).total.device_hours == Approx(110.0 / 3600));
  CHECK(*costs.total().usd == Approx(0.235));
}

TEST_CASE("stopped, failed and repeated work is listed apart and adds up to the total", "[cost]") {
  const StudyRows rows = priced_study();
  const CostReport costs(rows.trials, rows.attempts, 3.6);
  CHECK(*costs.of(TrialState::kStopped).usd == Approx(0.02));
  CHECK(*costs.of(TrialState::kFailed).usd == Approx(0.005));
  CHECK(*costs.retried().usd == Approx(0.01));
  CHECK(*costs.of(1).retried.usd == Approx(0.01));
  CHECK(*costs.of(2).retried.usd == 0);
  const double sum = *costs.of(TrialState::kCompleted).usd + *costs.of(TrialState::kStopped).usd +
                     *costs.of(TrialState::kFailed).usd;
  CHECK(sum == Approx(*costs.total().usd));
}

TEST_CASE("a running attempt is billed until now, never below zero, and an ended one as it was", "[cost]") {
  std::vector<store::AttemptRow> attempts = {leased(1, 1, 10), attempt_row(2, 1), attempt_row(3, 1)};
  attempts[1].state = attempts[2].state = store::AttemptState::kRunning;
  attempts[1].started = store::at(1000);
  attempts[2].started = store::at(9000);
  bill_running(attempts, store::at(3500));
  CHECK(attempts[0].lease_seconds == 10);
  CHECK(attempts[1].lease_seconds == 2.5);
  CHECK(attempts[2].lease_seconds == 0);
}

TEST_CASE("without a price there are hours and no dollars", "[cost]") {
  StudyRows rows = priced_study();
  rows.study.spec.erase("cost");
  CHECK_FALSE(usd_per_hour(rows.study).has_value());
  const CostReport costs(rows.trials, rows.attempts, usd_per_hour(rows.study));
  CHECK_FALSE(costs.total().usd.has_value());
  CHECK(costs.total().device_hours > 0);
  CHECK(run_summary(rows, std::nullopt, 0).find('$') == std::string::npos);
}

TEST_CASE("the leaderboard holds completed trials with finite values, the earlier of equals first",
          "[report]") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<store::TrialRow> trials = {
      ended(1, TrialState::kCompleted, {0.5}),        ended(2, TrialState::kStopped, {0.9}),
      ended(3, TrialState::kCompleted, {kNan}),       ended(4, TrialState::kCompleted, {0.7}),
      ended(5, TrialState::kCompleted, {0.7}),        ended(6, TrialState::kCompleted, {kInfinity}),
      ended(7, TrialState::kCompleted, {-kInfinity}), trial_row(8)};
  std::vector<int> numbers;
  for (const auto& trial : leaderboard(trials, {"m", Goal::kMaximize, Reduce::kBest}))
    numbers.push_back(trial.number);
  CHECK(numbers == std::vector<int>{4, 5, 1});
  numbers.clear();
  for (const auto& trial : leaderboard(trials, {"m", Goal::kMinimize, Reduce::kBest}))
    numbers.push_back(trial.number);
  CHECK(numbers == std::vector<int>{1, 4, 5});
  CHECK_FALSE(best_trial({trial_row(1)}, {"m", Goal::kMinimize, Reduce::kBest}).has_value());
}

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

TEST_CASE("CSV has a column for every hyperparameter that occurs, empty where it is not active", "[report]") {
  StudyRows rows = priced_study();
  rows.trials[1].parameters["nesterov"] = true;
  const Table table = trial_table(rows, TrialColumns::kEverything);
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  const std::vector<std::string> expected = {"trial",         "state",    "validation:mAP", "batch_size",
                                             "learning_rate", "nesterov", "optimizer"};
  CHECK(std::vector<std::string>(titles.begin(), titles.begin() + 7) == expected);
  CHECK(table.rows[0][5].empty());
  CHECK(table.rows[1][5] == "true");
}

TEST_CASE("no two columns of the CSV have one name", "[report]") {
  StudyRows rows = priced_study();
  rows.study.objective.metric = "seconds";
  rows.others = {{"learning_rate", {{1, 0.5}}}, {"metric:seconds", {}}, {"loss", {}}};
  rows.trials[1].parameters["note"] = "mine";
  std::vector<std::string> titles;
  for (const Column& column : trial_table(rows, TrialColumns::kEverything).columns)
    titles.push_back(column.title);
  const std::vector<std::string> expected = {
      "trial", "state",      "metric:metric:seconds",   "metric:learning_rate", "metric:seconds",
      "loss",  "batch_size", "parameter:learning_rate", "parameter:note",       "optimizer",
      "budget"};
  CHECK(std::vector<std::string>(titles.begin(), titles.begin() + 11) == expected);
  CHECK(std::set<std::string>(titles.begin(), titles.end()).size() == titles.size());
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
  CHECK(all.columns.back().title == "cut");
  CHECK(all.rows.at(1).back() == "trial_time");
}

TEST_CASE("one trial is not called trials", "[report]") {
  StudyRows rows = priced_study();
  rows.trials.resize(1);
  rows.study.limits = {{"trials", 1}};
  CHECK(status_text(rows, 0).find("1 of 1 trial: ") != std::string::npos);
  rows.study.limits = Json::object();
  CHECK(status_text(rows, 0).find(", 1 trial: ") != std::string::npos);
}

TEST_CASE("a trial shows rank, attempts, metrics and its own events", "[report]") {
  store::StudyStore store(":memory:", store::OpenMode::kCreate);
  store.create_study(study_row());
  for (int number = 1; number <= 2; ++number) store.insert_trial(trial_row(number));
  store.insert_attempt(leased(2, 1, 30, {"GPU-1"}));
  store::AttemptRow killed = leased(2, 2, 60);
  killed.signal = 9;
  killed.reason = "killed by\nsomebody";
  store.insert_attempt(killed);
  store.insert_metrics({store::metric_row(2, "loss", 1, 3), store::metric_row(2, "loss", 2, 1),
                        store::metric_row(2, "validation:mAP", 1, std::nan(""))});
  store.append_event(store::event_row("trial_queued", 1));
  store.append_event(store::event_row("trial_queued", 2));
  store.update_trial(completed(trial_row(1), 0.9));
  store.update_trial(completed(trial_row(2), 0.8));

  const TrialRows rows = read_trial(store, 2).value();
  CHECK(rows.rank == 2);
  CHECK(rows.ranked == 2);
  CHECK(rows.events.size() == 1);
  const std::string text = trial_text(rows, 0);
  CHECK(text.starts_with("steel-legacy/2: completed, validation:mAP 0.8 (rank 2 of 2)\n"));
  CHECK(text.find("      2  exited  signal 9    1m 00s  cpu      killed by somebody\n") != std::string::npos);
  CHECK(text.find("loss                 2          2     1         1        3\n") != std::string::npos);
  CHECK(text.find("validation:mAP       1          1   nan\n") != std::string::npos);
  CHECK(text.find("22:13:20 trial queued, trial 2: trial_queued") != std::string::npos);
  const Json json = trial_details_json(rows);
  CHECK(json.at("schema") == 1);
  CHECK(json.at("attempts").at(1).at("signal") == 9);
  CHECK(json.at("metrics").at("validation:mAP").at(0).at("value") == "NaN");
  CHECK_FALSE(read_trial(store, 3).has_value());
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

TEST_CASE("a model shows its versions, where the current one comes from, and why it became current",
          "[report]") {
  store::ModelVersion version;
  version.model = "steel";
  version.version = 1;
  version.created = store::at(0);
  version.study = "steel-legacy";
  version.trial = 2;
  version.objective = study_row().objective;
  version.value = 0.4125;
  version.lineage = {{"data", "5fa1"}};
  version.files = {{"weights.safetensors", 23'500'000, "aa"}};
  const ModelRows rows{
      "steel", 1, {version}, {{"steel", 0, 1, "the first version", Json::object(), store::at(1)}}};
  CHECK(model_text(rows, "/store/models/steel/current", 0) ==
        "steel\n"
        "  current: version 1, /store/models/steel/current\n"
        "\n"
        "Versions:\n"
        "version           metric           value  trial           created (UTC)        size\n"
        "      1  current  validation:mAP  0.4125  steel-legacy/2  2023-11-14 22:13  23.5 MB\n"
        "\n"
        "Where version 1 comes from:\n"
        "  data: 5fa1\n"
        "\n"
        "Promotions (UTC):\n"
        "  2023-11-14 22:13  none -> 1  the first version\n");
  const Json json = models_json({rows});
  CHECK(json.at("models").at(0).at("versions").at(0).at("files").at(0).at("bytes") == 23'500'000);
  CHECK(json.at("models").at(0).at("promotions").at(0).at("from").is_null());
}

TEST_CASE("an event is one line without control characters", "[report]") {
  store::EventRow event = store::event_row("attempt_started", 3);
  event.attempt = 2;
  event.data["message"] = "on GPU-1\n\x1b]0;x";
  CHECK(event_line(event) == "22:13:20 attempt started, trial 3, attempt 2: on GPU-1  ]0;x");
}

TEST_CASE("each metric that the spec names has its column beside the objective", "[report]") {
  StudyRows rows = priced_study();
  rows.others = {{"accuracy", {{1, 0.5}, {2, std::nan("")}}}, {"time", {}}};
  const Table all = trial_table(rows, TrialColumns::kEverything),
              page = trial_table(rows, TrialColumns::kPage);
  for (const Table& table : {all, page}) {
    CHECK(table.columns[3].title == "accuracy");
    CHECK(table.columns[4].title == "time");
    CHECK(table.rows[0][3] == "0.5");
    CHECK(table.rows[1][3] == "nan");
    CHECK(table.rows[2][3].empty());
  }
  for (const Column& column : trial_table(rows, TrialColumns::kTerminal).columns)
    CHECK(column.title != "accuracy");
  const Json json = trials_json(rows).at("trials");
  CHECK(json.at(0).at("metrics") == Json{{"accuracy", 0.5}, {"time", nullptr}});
  CHECK(json.at(1).at("metrics").at("accuracy") == "NaN");
}

TEST_CASE("a study's other metrics are read with their last values, and named without any", "[report]") {
  store::StudyStore store(":memory:", store::OpenMode::kCreate);
  store::StudyRow study = study_row();
  study.spec["metrics"] = Json::array({{{"name", study.objective.metric}, {"regex", "(a)"}},
                                       {{"name", "accuracy"}, {"regex", "(b)"}},
                                       {{"name", "time"}, {"regex", "(c)"}}});
  store.create_study(study);
  for (int number = 1; number <= 2; ++number) store.insert_trial(trial_row(number));
  store.insert_attempt(leased(2, 1, 30));
  store.insert_metrics({store::metric_row(2, "accuracy", 2, 0.25), store::metric_row(2, "accuracy", 1, 0.5)});
  const StudyRows rows = read_study(store);
  REQUIRE(rows.others.size() == 2);
  CHECK(rows.others[0].metric == "accuracy");
  CHECK(rows.others[0].by_trial == std::map<int, double>{{2, 0.25}});
  CHECK(rows.others[1].by_trial.empty());
  const auto trial = read_trial(store, 2);
  REQUIRE(trial);
  CHECK_THAT(trial_text(*trial, 0),
             Catch::Matchers::Contains("accuracy") && Catch::Matchers::Contains("time"));
  CHECK(trial_details_json(*trial).at("metrics").at("time").empty());
}

TEST_CASE("control sequences of a trainer are shown as text in CSV", "[report]") {
  StudyRows rows = priced_study();
  rows.trials[3].reason =
      "exit code 3: \x1b]0;owned\a \xC2\x9B"
      "2J\nnext";
  const std::string csv = csv_table(trial_table(rows, TrialColumns::kEverything));
  CHECK(csv.find('\x1b') == std::string::npos);
  CHECK(csv.find("\xC2\x9B") == std::string::npos);
  CHECK(csv.find("\\u001b]0;owned\\u0007 \\u009b2J\nnext") != std::string::npos);
}

}  // namespace
}  // namespace tune::report
