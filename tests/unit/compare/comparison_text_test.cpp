// What a comparison looks like on a terminal, in Markdown and in JSON.
#include "support/catch.h"
#include "tuner/compare/comparison_report.h"

namespace tune::compare {
namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

ComparisonReport small_report() {
  ComparisonReport report;
  report.name = "steel";
  report.usd_per_hour = 3.06;
  report.price_date = "2026-11-21";
  report.images = 120;
  report.groups = 97;
  report.resamples = 1000;
  report.scorings = report.scoring_number = 1;
  ComparisonRow legacy;
  legacy.approach = "legacy|x";
  legacy.runs = {{1, "steel.legacy.defaults", 1, 0.25, 0.2, 0.5},
                 {2, "steel.legacy.defaults", 2, 0.27, 0.22, 0.52}};
  legacy.fresh_validation = 0.26;
  legacy.score = 0.21;
  legacy.second = 0.51;
  legacy.score_spread = 0.0141;
  legacy.cost = {7200, 2, 6.12};
  legacy.predicted_hours = 1.5;
  ComparisonRow best = legacy;
  best.kind = RowKind::kBestOfSeeds;
  best.selection = 0.27;
  best.fresh_validation.reset();
  ComparisonRow tuned = legacy;
  tuned.kind = RowKind::kTuned;
  tuned.score = 0.31;
  tuned.winner = RunRow{7, "steel.legacy.search", 3, 0.33, 0.32, 0.6};
  tuned.winner_score = 0.32;
  tuned.chosen = {{"learning_rate", 0.02}};
  tuned.precision = "bf16";
  report.rows = {legacy, best, tuned};
  Answer answer;
  answer.verdict = Verdict::kBetter;
  answer.difference = 0.1;
  answer.low = 0.05;
  answer.high = 0.15;
  answer.p = 0.0002;
  answer.adjusted_p = 0.0004;
  answer.smallest_seen = 0.06;
  report.answers = {{2, 1, "tuning helped", answer}};
  report.studies = {{"steel.legacy.defaults", {7200, 2, 6.12}, {}, {}, {7200, 2, 6.12}, {}, 1.5, ""}};
  report.total = {7200, 2, 6.12};
  return report;
}

TEST_CASE("the table of a comparison has scores, answers and costs side by side") {
  const std::string text = comparison_text(small_report());
  CAPTURE(text);
  CHECK(holds(text, "legacy|x, best of 2 seeds"));
  CHECK(holds(text, "legacy|x tuned"));
  CHECK(holds(text, "+0.050 to +0.150"));
  CHECK(holds(text, "steel.legacy.search/3  learning_rate=0.02"));
  CHECK(holds(text, "legacy|x tuned             bf16"));
  CHECK(holds(text, "<0.001"));
  CHECK(holds(text, "better"));
  CHECK(holds(text, "2.00 h"));
  CHECK(holds(text, "$6.12"));
  CHECK(holds(text, "120 images in 97 groups"));
  CHECK(holds(text, "scored once"));
  CHECK_FALSE(holds(text, "leaking"));
  CHECK_FALSE(holds(text, "LEAKING"));
}

TEST_CASE("published and improved recipes have tables of their own, and deviations stand below theirs") {
  ComparisonReport report = small_report();
  CHECK_FALSE(holds(comparison_text(report), "Improved recipes"));
  report.rows[0].table = report.rows[1].table = ApproachTable::kPublished;
  report.deviations = {{"legacy|x", {"LibTorch instead of MXNet", "a split by content"}}};
  const std::string text = comparison_text(report), markdown = comparison_markdown(report);
  CAPTURE(text, markdown);
  const std::size_t published = text.find("Published recipes:"), improved = text.find("Improved recipes:"),
                    deviation = text.find("legacy|x departs from what was published: a split by content");
  REQUIRE(improved != std::string::npos);
  CHECK(published < deviation);
  CHECK(deviation < improved);
  CHECK(text.find("legacy|x tuned") > improved);
  CHECK(holds(markdown, "## Published recipes\n\n|"));
  CHECK(holds(markdown, "\n- legacy\\|x departs from what was published: LibTorch instead of MXNet\n"));
  const Json json = comparison_json(report);
  CHECK(json.at("rows")[0].at("table") == "published");
  CHECK(json.at("rows")[2].at("table") == "improved");
  CHECK(json.at("deviations").at("legacy|x").size() == 2);
}

TEST_CASE("sizes and speeds have a table of their own") {
  ComparisonReport report = small_report();
  report.rows[0].parameters = 12.2e6;
  report.rows[0].multiply_adds = 2.12e9;
  report.rows[0].latency_ms = 7.25;
  report.rows[0].peak_memory_bytes = 300 * 1024.0 * 1024;
  report.rows[0].training_memory_bytes = 5 * 1024.0 * 1024;
  const std::string text = comparison_text(report);
  CAPTURE(text);
  for (const char* part : {"12.2 M", "2.12 G", "7.25 ms", "300.0 MiB", "5.00 MiB", "latency at batch 1"})
    CHECK(holds(text, part));
  const Json row = comparison_json(report).at("rows")[0];
  CHECK(row.at("multiply_adds") == 2.12e9);
  CHECK(row.at("training_memory_bytes") == 5 * 1024 * 1024);
  CHECK(comparison_json(report).at("rows")[1].at("latency_ms").is_null());
}

TEST_CASE("a prediction that is a bound says so, in its row, its study and the sum") {
  ComparisonReport report = small_report();
  report.rows[0].predicted_at_most = report.studies[0].predicted_at_most = true;
  const std::string text = comparison_text(report);
  CAPTURE(text);
  std::size_t count = 0;
  for (std::size_t at = text.find("at most 1.50 h"); at != std::string::npos;
       at = text.find("at most", at + 1))
    ++count;
  CHECK(count == 3);
  CHECK(comparison_json(report).at("cost").at("predicted_at_most") == true);
}

TEST_CASE("leaking numbers are marked where they stand, in every form") {
  ComparisonReport report = small_report();
  report.test_leaks = report.validation_leaks = true;
  for (const std::string& text : {comparison_text(report), comparison_markdown(report)}) {
    CAPTURE(text);
    for (const char* title : {"test AP (leaking)", "AP50 (leaking)", "selected by (leaking)",
                              "difference (leaking)", "fresh validation (leaking)"})
      CHECK(holds(text, title));
  }
  CHECK(comparison_json(report).at("test").at("leaks") == true);
  report.test_leaks = false;
  CHECK_FALSE(holds(comparison_text(report), "test AP (leaking)"));
  CHECK(holds(comparison_text(report), "fresh validation (leaking)"));
}

TEST_CASE("an answer without an interval says what is too few for one, in every form") {
  ComparisonReport report = small_report();
  CHECK_FALSE(holds(comparison_text(report), "too few"));
  Answer& answer = report.answers[0].answer;
  answer.verdict = Verdict::kNotDistinguishable;
  answer.low.reset();
  answer.high.reset();
  answer.smallest_seen.reset();
  answer.too_few = TooFew::kSeeds;
  for (const std::string& text : {comparison_text(report), comparison_markdown(report)}) {
    CAPTURE(text);
    CHECK(holds(text, "too few seeds"));
    CHECK(holds(text, "wider than the whole range of AP"));
  }
  const Json json = comparison_json(report).at("answers")[0];
  CHECK(json.at("interval").is_null());
  CHECK(json.at("no_interval") == "too few seeds");
  CHECK(comparison_json(small_report()).at("answers")[0].at("no_interval").is_null());
}

TEST_CASE("overlaps that cross a split by content mark what they may flatter") {
  ComparisonReport report = small_report();
  report.crossing_overlaps = 3;
  const std::string own_test = comparison_text(report);
  CAPTURE(own_test);
  CHECK(holds(own_test, "fresh validation (may leak)"));
  CHECK_FALSE(holds(own_test, "test AP (may leak)"));
  CHECK(holds(own_test, "MAY LEAK: 3 faint overlaps of two images cross"));
  CHECK(holds(own_test, "; validation values may be a little too good"));
  report.test_is_cut = true;
  report.crossing_overlaps = 1;
  for (const std::string& text : {comparison_text(report), comparison_markdown(report)}) {
    CAPTURE(text);
    for (const char* title : {"test AP (may leak)", "AP50 (may leak)", "difference (may leak)"})
      CHECK(holds(text, title));
    CHECK(holds(text, "1 faint overlap of two images crosses"));
    CHECK(holds(text, "validation and test values may be a little too good"));
  }
  CHECK(comparison_json(report).at("test").at("crossing_overlaps") == 1);
}

TEST_CASE("warnings of the readers of the data, and what a budget did not pay for, stand under the tables") {
  ComparisonReport report = small_report();
  CHECK_FALSE(holds(comparison_text(report), "udget"));
  CHECK(comparison_json(report).at("budget").is_null());
  report.warnings = {"data/train: 3 boxes without area are left out"};
  report.budget.cost_usd = 10;
  report.cut = {
      {"steel.legacy.random", "not begun, as what is left for it does not pay for one of its trials"}};
  const std::string text = comparison_text(report);
  CAPTURE(text);
  CHECK(holds(text, "Warning of the data: data/train: 3 boxes without area are left out"));
  CHECK(holds(text, "Budget of the whole comparison: $10.00; spent: device time 2.00 h, $6.12."));
  CHECK(holds(text, "For lack of budget: steel.legacy.random: not begun"));
  const Json json = comparison_json(report);
  CHECK(json.at("warnings").size() == 1);
  CHECK(json.at("budget").at("cost_usd") == 10);
  CHECK(json.at("budget").at("gpu_hours").is_null());
  CHECK(json.at("budget").at("cut")[0].at("study") == "steel.legacy.random");
}

TEST_CASE("a test of one number a model has its own name, and what it cannot show is said once") {
  ComparisonReport report = small_report();
  report.images = report.groups = report.resamples = 0;
  report.test = {"test:loss", Goal::kMinimize, true, "python3 evaluate.py {{output_dir}}"};
  report.test.second = report.test.of_class = "";
  report.test.range.reset();
  for (ComparisonRow& row : report.rows) row.precision.clear();
  report.rows[0].score = 1234.5;
  for (const std::string& text : {comparison_text(report), comparison_markdown(report)}) {
    CAPTURE(text);
    for (const char* part :
         {"test:loss", "1234", "by python3 evaluate.py {{output", "less is better", "tested once",
          "no classes, confusions or pictures", "over seeds alone", "testing"})
      CHECK(holds(text, part));
    for (const char* part : {"AP", "images in", "image groups", "on the test images", "latency", "probing"})
      CHECK_FALSE(holds(text, part));
    CHECK(text.find("one number a model") == text.rfind("one number a model"));
  }
  const Json json = comparison_json(report);
  CHECK(json.at("test") == Json{{"metric", "test:loss"},
                                {"goal", "minimize"},
                                {"by", "python3 evaluate.py {{output_dir}}"},
                                {"scoring", 1},
                                {"scorings", 1}});
  CHECK(json.at("rows")[0].at("score") == 1234.5);
  CHECK(json.at("rows")[2].at("winner_score") == 0.32);
  CHECK(json.at("rows")[0].at("runs")[0].at("score") == 0.2);
  CHECK_FALSE(json.at("rows")[0].contains("AP"));
  report.scorings = report.scoring_number = 2;
  CHECK(holds(comparison_text(report), "tested 2 times; shown is scoring 2"));
  report.scoring_number = 0;
  CHECK(holds(comparison_text(report), "The models have not been tested yet."));
}

TEST_CASE("Markdown keeps its columns whatever a name holds") {
  const std::string text = comparison_markdown(small_report());
  CHECK(holds(text, "| legacy\\|x tuned |"));
  CHECK(holds(text, "| --- | ---: |"));
  CHECK_FALSE(holds(text, "| legacy|x"));
}

TEST_CASE("further scorings are counted, and a comparison without one says so") {
  ComparisonReport report = small_report();
  report.scorings = report.scoring_number = 3;
  CHECK(holds(comparison_text(report), "scored 3 times; shown is scoring 3"));
  ComparisonReport unscored;
  unscored.name = "steel";
  CHECK(holds(comparison_text(unscored), "have not been scored yet"));
}

TEST_CASE("the JSON of a comparison has each part of the bill, and null where nothing is known") {
  const Json json = comparison_json(small_report());
  CHECK(json.at("schema") == 1);
  CHECK(json.at("rows")[0].at("selection").is_null());
  CHECK(json.at("rows")[2].at("winner_AP") == 0.32);
  CHECK(json.at("answers")[0].at("interval") == Json{0.05, 0.15});
  for (const char* part : {"total", "probing", "predicting", "validating", "idle"})
    CHECK(json.at("cost").at(part).at("device_hours").is_number());
  CHECK(json.at("studies")[0].at("validating").at("device_hours") == 0);
}

}  // namespace
}  // namespace tune::compare
