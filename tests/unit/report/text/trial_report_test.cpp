#include "tuner/report/text/trial_report.h"

#include <cmath>
#include <map>

#include "support/catch.h"
#include "tuner/report/text/trial_explanation.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

using store::completed;
using store::study_row;
using store::trial_row;

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

TEST_CASE("an explanation as JSON has the values of both objectives", "[report]") {
  TrialRows rows;
  rows.study = study_row();
  rows.trial = completed(trial_row(1), 0.8);
  CHECK(explanation_json(rows, {}).at("second_metric").is_null());
  CHECK(explanation_json(rows, {}).at("values") == Json({0.8}));
  rows.study.second = Objective{"latency", Goal::kMinimize, Reduce::kBest};
  rows.trial.values = {0.8, 12};
  const Json told = explanation_json(rows, {});
  CHECK(told.at("second_metric") == "latency");
  CHECK(told.at("values") == Json({0.8, 12}));
}

TEST_CASE("an event is one line without control characters", "[report]") {
  store::EventRow event = store::event_row("attempt_started", 3);
  event.attempt = 2;
  event.data["message"] = "on GPU-1\n\x1b]0;x";
  CHECK(event_line(event) == "22:13:20 attempt started, trial 3, attempt 2: on GPU-1  ]0;x");
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

}  // namespace
}  // namespace tune::report
