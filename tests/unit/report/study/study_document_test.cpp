#include "tuner/report/study/study_document.h"

#include "support/catch.h"
#include "support/occurrences.h"
#include "tuner/report/numbers/savings.h"
#include "tuner/report/study/model_quality.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/study_summary.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

using store::attempt_row;
using store::completed;
using store::study_row;
using store::trial_row;

SearchSpace space() {
  Parameter rate;
  rate.name = "learning_rate";
  rate.min = 1e-4;
  rate.max = 1;
  rate.scale = Scale::kLog;
  Parameter optimizer;
  optimizer.name = "optimizer";
  optimizer.type = ParameterType::kCategorical;
  optimizer.values = {"sgd", "adam"};
  return SearchSpace({rate, optimizer});
}

store::TrialRow ended_trial(int number, TrialState state, std::vector<double> values,
                            const std::string& reason = {}) {
  store::TrialRow row = completed(trial_row(number), 0);
  row.state = state;
  row.values = std::move(values);
  row.reason = reason;
  return row;
}

store::AttemptRow leased_once(int trial, double seconds, std::optional<StopReason> stop = {}) {
  store::AttemptRow row = attempt_row(trial, 1);
  row.state = store::AttemptState::kExited;
  row.lease_seconds = seconds;
  row.stop = stop;
  return row;
}

StudyMaterial material() {
  StudyMaterial material;
  StudyRows& rows = material.rows;
  rows.study = study_row();
  rows.study.spec["cost"]["usd_per_hour"] = 3.6;
  rows.study.state = store::StudyState::kFinished;
  rows.study.finish_reason = "trial limit";
  rows.study.elapsed_seconds = 125;
  rows.trials = {
      ended_trial(1, TrialState::kCompleted, {0.25}), ended_trial(2, TrialState::kCompleted, {0.4125}),
      ended_trial(3, TrialState::kStopped, {0.1}, "worse than the median"),
      ended_trial(4, TrialState::kFailed, {}, "exit code 3"), ended_trial(5, TrialState::kCompleted, {0.4})};
  rows.trials[3].failure = "crash";
  rows.attempts = {leased_once(1, 100), leased_once(2, 300), leased_once(3, 40, StopReason::kRule),
                   leased_once(4, 5), leased_once(5, 200)};
  material.curves = {{1, {{1, 0.1}, {2, 0.25}}}, {2, {{1, 0.3}, {2, 0.4125}}}, {3, {{1, 0.1}}}};
  material.space = space();
  material.importance = {3, {}, {{"learning_rate", 0.75}, {"optimizer", 0.05}}, 0.2};
  material.promoted = {{"steel-detector", 2, 2, "better", true}};
  material.version = "0.1.0";
  material.made = store::at(0);
  return material;
}

const Section* section_of(const Document& document, const std::string& id) {
  for (const Section& section : document.sections)
    if (section.id == id) return &section;
  return nullptr;
}

const Chart& chart_of(const std::vector<Chart>& charts) {
  REQUIRE(charts.size() == 1);
  return charts.front();
}

const Series* series_of(const Chart& chart, Role role) {
  for (const Series& series : chart.series)
    if (series.role == role) return &series;
  return nullptr;
}

TEST_CASE("a study's document has its numbers in the words of the tables of `tune trials`", "[document]") {
  const StudyMaterial study = material();
  const std::string page = document_markdown(study_document(study));
  const CostReport costs(study.rows.trials, study.rows.attempts, usd_per_hour(study.rows.study));
  CHECK(page.find("| cost | " + usd_text(costs.total().usd) + " |") != std::string::npos);
  CHECK(page.find("| device time | " + hours_text(costs.total().device_hours) + " |") != std::string::npos);
  CHECK(page.find("**Trial 2 with validation:mAP 0.4125**") != std::string::npos);
  CHECK(page.find("| 1 | crash: exit code 3 | 4 |") != std::string::npos);
  CHECK(page.find("| learning_rate | 75 % |") != std::string::npos);
  CHECK(page.find("version 2 of the model steel-detector, the current one: better.") != std::string::npos);
}

TEST_CASE("HTML and Markdown have the same sections and tables", "[document]") {
  const Document document = study_document(material());
  const std::string html = document_html(document), markdown = document_markdown(document);
  for (const char* id : {"best", "leaderboard", "history", "accuracy-cost", "curves", "hyperparameters",
                         "failures", "time", "setup", "trials"}) {
    const Section* section = section_of(document, id);
    INFO(id);
    REQUIRE(section != nullptr);
    CHECK(html.find("<section id=\"" + section->id + "\"><h2>" + section->title) != std::string::npos);
    CHECK(markdown.find("## " + section->title + "\n") != std::string::npos);
  }
  CHECK(tests::occurrences(html, "<canvas ") == 5);  // history, cost, curves, two slices
  CHECK(tests::occurrences(html, "<caption>") == tests::occurrences(html, "<table"));
}

TEST_CASE("the history's line is the best so far of completed trials", "[document]") {
  const std::vector<Chart> charts = history_charts(material());
  const Series* line = series_of(chart_of(charts), Role::kBestSoFar);
  REQUIRE(line != nullptr);
  CHECK(line->x == std::vector<double>{1, 2, 3, 4, 5});
  CHECK(line->y == std::vector<double>{0.25, 0.4125, 0.4125, 0.4125, 0.4125});
  CHECK(series_of(charts[0], Role::kBest)->trials == std::vector<int>{2});
  CHECK(series_of(charts[0], Role::kStopped)->trials == std::vector<int>{3});
}

TEST_CASE("the Pareto front counts completed trials by device time, and dollars follow the price",
          "[document]") {
  const StudyMaterial study = material();
  const std::vector<Chart> charts = cost_charts(study);
  const Series* front = series_of(chart_of(charts), Role::kFront);
  REQUIRE(front != nullptr);
  CHECK(front->trials == std::vector<int>{1, 5, 2});
  CHECK(front->x[0] == Approx(100.0 / 60));  // minutes
  CHECK(*charts[0].x.usd_per_unit == Approx(3.6 / 60));
  const Json json = study_document_json(study);
  CHECK(json.at("pareto_front") == Json({1, 5, 2}));
}

TEST_CASE("early stopping's saving is the rest of a median trial for each that the rule stopped",
          "[document]") {
  StudyMaterial study = material();
  const auto saving = [&] {
    return savings(study.rows, CostReport(study.rows.trials, study.rows.attempts, 3.6));
  };
  REQUIRE(saving().has_value());
  CHECK(saving()->trials == 1);
  CHECK(saving()->cost.lease_seconds == 160);  // the median is 200
  CHECK(*saving()->cost.usd == Approx(0.16));
  // What took longer than a median trial is taken off what the others saved, and in all nothing is owed.
  store::AttemptRow longer = study.rows.attempts[2];
  longer.trial = 6;
  store::TrialRow sixth = study.rows.trials[2];
  sixth.number = 6;
  study.rows.trials.push_back(sixth);
  longer.lease_seconds = 300;
  study.rows.attempts.push_back(longer);
  CHECK(saving()->trials == 2);
  CHECK(saving()->cost.lease_seconds == 60);
  study.rows.attempts.back().lease_seconds = 900;
  CHECK(saving()->cost.lease_seconds == 0);
  CHECK(*saving()->cost.usd == 0);
  study.rows.attempts.pop_back();
  study.rows.attempts[2].stop = StopReason::kTimeLimit;  // not by the rule
  CHECK_FALSE(saving().has_value());
}

TEST_CASE("what repeats another trial is no trial whose length early stopping saves", "[document]") {
  StudyMaterial study = material();
  const double before =
      savings(study.rows, CostReport(study.rows.trials, study.rows.attempts, 3.6))->cost.lease_seconds;
  for (int number = 6; number <= 9; ++number) {
    store::TrialRow repeat = ended_trial(number, TrialState::kCompleted, {0.4});
    (number < 8 ? repeat.facts.replicate_of : repeat.facts.rerun_of) = 2;
    study.rows.trials.push_back(repeat);
    study.rows.attempts.push_back(leased_once(number, 1000));
  }
  CHECK(savings(study.rows, CostReport(study.rows.trials, study.rows.attempts, 3.6))->cost.lease_seconds ==
        before);
}

TEST_CASE("the page counts trials that people enqueued beyond the limit apart, and so does status",
          "[document]") {
  StudyMaterial study = material();
  study.rows.study.limits = {{"trials", 3}};
  for (const std::size_t i : {3, 4})
    study.rows.trials[i].facts.explanation = {{"strategy", store::kEnqueued}};
  store::TrialRow replicate = ended_trial(6, TrialState::kCompleted, {0.4});
  replicate.facts.replicate_of = 2;
  study.rows.trials.push_back(replicate);
  CHECK(document_markdown(study_document(study))
            .find("| trials | 3 of 3, 2 enqueued beyond and 1 replicate |") != std::string::npos);
  CHECK(status_text(study.rows, 0).find("3 of 3 trials, 2 enqueued beyond them and 1 replicate: ") !=
        std::string::npos);
}

TEST_CASE("a slice has the parameter's own scale and range, and passes over trials without it",
          "[document]") {
  StudyMaterial study = material();
  study.rows.trials[0].parameters.erase("learning_rate");
  const std::vector<Chart> charts = slice_charts(study);
  REQUIRE(charts.size() == 2);
  CHECK(charts[0].x.scale == AxisScale::kLog);
  CHECK(*charts[0].x.min == 1e-4);
  CHECK(series_of(charts[0], Role::kCompleted)->trials == std::vector<int>{5});
  CHECK(charts[1].x.labels == std::vector<std::string>{"sgd", "adam"});
  CHECK(series_of(charts[1], Role::kCompleted)->x == std::vector<double>{0, 0});
}

TEST_CASE("of two objectives each has its history, its slices and its importance", "[document]") {
  StudyMaterial study = material();
  study.rows.study.second = Objective{"latency", Goal::kMinimize, Reduce::kBest};
  for (auto& trial : study.rows.trials)
    if (trial.state == TrialState::kCompleted) trial.values.push_back(10.0 * trial.number);
  const std::vector<Chart> charts = history_charts(study);
  REQUIRE(charts.size() == 2);
  CHECK(charts[1].title == "latency by trial");
  CHECK(series_of(charts[1], Role::kBestSoFar)->y == std::vector<double>{10, 10, 10, 10, 10});
  CHECK(series_of(charts[1], Role::kStopped) == nullptr);  // it has come to no second value
  const std::vector<Chart> slices = slice_charts(study);
  REQUIRE(slices.size() == 4);
  CHECK(slices[1].title == "latency against learning_rate");
  CHECK(slices[1].id != slices[0].id);
  study.second_importance = {3, {}, {{"optimizer", 0.5}}, 0.5};
  const std::string html = document_html(study_document(study));
  CHECK(html.find("share of the variance of latency") != std::string::npos);
  CHECK(study_document_json(study).at("second_importance").at("parameters").at(0).at("name") == "optimizer");
}

TEST_CASE("a study without trials, or without a completed one, has a page all the same", "[document]") {
  StudyMaterial study = material();
  study.rows.trials.resize(4);
  for (store::TrialRow& trial : study.rows.trials) {
    trial.state = TrialState::kFailed;
    trial.values.clear();
  }
  study.curves.clear();
  study.importance = {0, "there are fewer than 10 completed trials", {}, 0};
  CHECK(document_html(study_document(study)).find("No trial has completed with a value yet.") !=
        std::string::npos);
  CHECK(study_document_json(study).at("best") == Json{{"trial", nullptr}});
  study.rows.trials.clear();
  study.rows.attempts.clear();
  study.space.reset();
  const Document document = study_document(study);
  CHECK(section_of(document, "history") == nullptr);
  CHECK(section_of(document, "trials") == nullptr);
  CHECK(tests::occurrences(document_html(document), "<canvas ") == 0);
}

TEST_CASE("what users write never becomes markup of the page", "[document]") {
  const std::string evil =
      "</script><script>window.pwned=1</script><img src=x onerror=\"window.pwned=1\">'{{script}}|`";
  StudyMaterial study = material();
  const std::string benign = document_html(study_document(study));
  study.rows.study.name = evil;
  study.rows.study.objective.metric = evil;
  study.rows.study.finish_reason = evil;
  study.rows.study.spec["fixed"][evil] = evil;
  study.rows.study.facts.machine.emplace().host = evil;
  study.rows.trials[3].reason = evil;
  study.rows.trials[0].parameters["optimizer"] = evil;
  study.promoted[0].reason = study.promoted[0].model = evil;
  study.importance.shares[0].first = evil;
  Parameter parameter;
  parameter.name = "optimizer";
  parameter.type = ParameterType::kCategorical;
  parameter.values = {evil, "sgd"};
  study.space = SearchSpace({parameter});
  const std::string page = document_html(study_document(study));
  CHECK(tests::occurrences(page, "<script") == tests::occurrences(benign, "<script"));
  CHECK(tests::occurrences(page, "</script") == tests::occurrences(benign, "</script"));
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("onerror=\"") == std::string::npos);
  CHECK(tests::occurrences(page, "function draw()") == 1);  // the placeholder in the text was not filled
  const std::string markdown = document_markdown(study_document(study));
  CHECK(markdown.find('<') == std::string::npos);
  for (std::size_t begin = 0, end = 0; begin < markdown.size(); begin = end + 1) {
    end = markdown.find('\n', begin);
    const std::string line = markdown.substr(begin, end - begin);
    if (line.starts_with("| 4 | failed")) CHECK(tests::occurrences(line, " | ") == 7);
  }
  CHECK(study_document_json(study).at("study") == evil);
}

TEST_CASE("long curves are thinned for the page, and it says so", "[document]") {
  StudyMaterial study = material();
  CHECK(curve_charts(study).at(0).note.empty());
  for (int step = 1; step <= 5000; ++step) study.curves[5].push_back({step, 0.2 + 1e-5 * step});
  const Chart chart = curve_charts(study).at(0);
  CHECK(chart.note.find("thinned to about 400 of up to 5000 points") != std::string::npos);
  const Json curve = study_document_json(study).at("trials").at(4).at("curve");
  CHECK(curve.at("points") == 5000);
  CHECK(curve.at("thinned") == true);
  CHECK(curve.at("steps").size() <= 1000);
  CHECK(curve.at("steps").back() == 5000);
}

TEST_CASE("what is recorded of a study's runs is in the report's JSON as the store has it", "[document]") {
  const std::string facts =
      R"({"later":1,"machine":null,"precision":"fp32","promotion":{"folder":"","model":"m","promoted":false,)"
      R"("reason":"no trial completed with a value","trial":0,"version":0},"runs":[{"code":null,"machine":)"
      R"({"cores":8,"driver":"","gpus":[],"host":"here"},"since_ms":1,"sqlite":"3.40.1","tune":"0.1.0"}]})";
  StudyMaterial study = material();
  study.rows.study.facts = Json::parse(facts).get<store::StudyFacts>();
  CHECK(study_document_json(study).at("facts").dump() == facts);
  study.promoted.clear();
  const std::string page = document_markdown(study_document(study));
  CHECK(page.find("Nothing was promoted: no trial completed with a value.") != std::string::npos);
  CHECK(page.find("here: 8 cores") != std::string::npos);
}

TEST_CASE("what a trial's environment holds stays out of the report", "[document]") {
  StudyMaterial study = material();
  study.rows.study.spec["environment"] = {{"TOKEN", "secret-value"}};
  CHECK(study_document_json(study).dump().find("secret-value") == std::string::npos);
  CHECK(document_html(study_document(study)).find("secret-value") == std::string::npos);
}

TEST_CASE("classes and confusion are shown where the model's file holds them, and left out where not",
          "[document]") {
  const Json model = {{"test",
                       {{"AP", 0.41},
                        {"classes", {{{"name", "crazing"}, {"AP", 0.3}}, {{"name", "patches"}, {"AP", 0.5}}}},
                        {"confusion", {{"classes", {"crazing", "patches"}}, {"counts", {{8, 2}, {1, 9}}}}}}}};
  CHECK(quality_blocks(model).size() == 3);
  StudyMaterial study = material();
  study.model = model;
  CHECK(document_markdown(study_document(study)).find("| crazing | 8 | 2 |") != std::string::npos);
  for (const char* text :
       {"null", "[1]", "{}", R"({"test": 3})", R"({"test": {"classes": "3", "confusion": [1]}})",
        R"({"test": {"classes": [{"AP": 1}], "confusion": {"classes": ["a"], "counts": [[1, 2]]}}})"})
    CHECK(quality_blocks(Json::parse(text)).empty());
}

}  // namespace
}  // namespace tune::report
