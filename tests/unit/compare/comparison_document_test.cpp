// A comparison's document, out of a real record and the files of a scoring.
#include "tuner/compare/comparison_document.h"

#include "support/catch.h"
#include "support/occurrences.h"
#include "tuner/core/base64.h"
#include "tuner/report/page/escape.h"
#include "tuner/report/page/markup.h"
#include "unit/compare/scored_comparison.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

ComparisonMaterial scored_material() {
  ScoredComparison comparison;
  comparison.freeze();
  comparison.score();
  return comparison.read();
}

TEST_CASE(
    "a row's classes are means over its runs, its confusion their sum, and its best by validation is shown",
    "[comparison-document]") {
  const ComparisonMaterial material = scored_material();
  REQUIRE(material.rows.size() == 2);
  CHECK(material.classes == std::vector<std::string>{"pit", kHostile});
  CHECK(material.score == 0.3);
  CHECK(material.rows[0].classes[0].score == Approx(0.15));
  CHECK(material.rows[1].classes[1].score == Approx(0.55));
  CHECK(material.rows[1].classes[0].count == 3);
  CHECK(material.rows[0].confusion ==
        std::vector<std::vector<std::int64_t>>{{4, 0, 2}, {0, 2, 0}, {2, 0, 0}});
  CHECK(material.rows[0].pictured == 1);
  CHECK(material.rows[1].pictured == 4);
}

TEST_CASE("a task that tells whole images apart has its own numbers, confusions and answers",
          "[comparison-document]") {
  const Json facts{{"task",
                    {{"name", "image_classification"},
                     {"unit", "images"},
                     {"primary",
                      {{"name", "accuracy"},
                       {"goal", "maximize"},
                       {"files", "predictions"},
                       {"second", "macro_f1"},
                       {"of_class", "f1"},
                       {"range", 1}}}}}};
  ScoredComparison comparison(facts);
  comparison.freeze();
  comparison.score(ScoredComparison::classification());
  const ComparisonMaterial material = comparison.read();
  CHECK_FALSE(material.counts_objects);
  CHECK(material.confusable == std::vector<std::string>{"pit", kHostile});
  CHECK(material.rows[0].confusion == std::vector<std::vector<std::int64_t>>{{4, 2}, {0, 2}});
  CHECK(material.rows[1].classes[1].score == Approx(0.55));
  CHECK(material.rows[1].classes[0].count == 3);
  CHECK(material.report.rows[1].second.value() == Approx(0.4));
  // A difference has an interval, which the range of shares bounds.
  CHECK(material.report.test.range == 1.0);
  REQUIRE(material.examples.size() == 1);
  CHECK(material.examples[0].truth == "pit");
  CHECK(material.examples[0].answers.at(1).text == "pit 0.75");
  CHECK_FALSE(material.examples[0].answers.at(1).is_wrong);
  CHECK(material.examples[0].answers.at(4).is_wrong);
  CHECK(material.unreadable.empty());

  const std::string page = report::document_markdown(comparison_document(material));
  for (const char* shown : {"test accuracy", "| macro_f1 |", "Test f1 of each class", "| class | images |"}) {
    INFO(shown);
    CHECK(tests::occurrences(page, shown) > 0);
  }
  for (const char* strange : {"AP50", "background", "IoU", "detections"}) {
    INFO(strange);
    CHECK(tests::occurrences(page, strange) == 0);
  }
  const Json json = comparison_document_json(material);
  CHECK(json.at("rows")[0].at("score") == Approx(0.25));
  CHECK(json.at("rows")[0].at("macro_f1") == Approx(0.2));
  CHECK(json.at("rows")[0].at("classes")[0].at("f1") == Approx(0.15));
  CHECK(json.at("rows")[0].at("confusion").at("classes") == Json{"pit", kHostile});
  CHECK(json.at("examples")[0].at("truth") == "pit");
  CHECK(json.at("examples")[0].at("found")[3] ==
        Json{{"model", 4}, {"answer", kHostile + " 0.75"}, {"wrong", true}});
}

TEST_CASE("detections below the score are not drawn, and those that found nothing of their class are wrong",
          "[comparison-document]") {
  const ComparisonMaterial material = scored_material();
  REQUIRE(material.examples.size() == 2);
  const std::vector<ExampleBox>& found = material.examples[0].found.at(1);
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "pit");
  CHECK_FALSE(found[0].is_wrong);
  CHECK(found[1].name == kHostile);
  CHECK(found[1].is_wrong);
  CHECK(material.examples[1].found.at(4).at(0).is_wrong);

  // The surer one takes the object though it comes second, and a shift of more than a third is too far.
  const std::vector<ExampleBox> objects{{"pit", {}, 0, 0, 10, 10}};
  std::vector<ExampleBox> two{
      {"pit", 0.5, 0, 0, 10, 10}, {"pit", 0.6, 0, 0, 10, 10}, {"pit", 0.9, 4, 0, 10, 10}};
  mark_wrong(objects, 0.5, two);
  CHECK(two[0].score == 0.9);
  CHECK(two[0].is_wrong);
  CHECK_FALSE(two[1].is_wrong);
  CHECK(two[2].is_wrong);
}

TEST_CASE("the page holds each picture once, and every approach's boxes over it", "[comparison-document]") {
  const ComparisonMaterial material = scored_material();
  const std::string page = report::document_html(comparison_document(material));
  CHECK(tests::occurrences(page, "data:image/jpeg;base64," + base64(kJpeg)) == 1);
  CHECK(tests::occurrences(page, "<image id=\"picture-7\"") == 1);
  CHECK(tests::occurrences(page, "<use href=\"#picture-7\"/>") == 2);
  // One object, and two detections in each of two panels, each with its halo and its number.
  CHECK(tests::occurrences(page, "class=\"box ") == 5);
  CHECK(tests::occurrences(page, "class=\"box tone-1 wrong\"") == 2);
  CHECK(tests::occurrences(page, "class=\"tag ") == 5);
  CHECK(page.find(">pit 0.90</li>") != std::string::npos);
  CHECK(tests::occurrences(page, "<table class=\"matrix\">") == 2);
  for (const char* id : {"scores", "questions", "accuracy-cost", "classes", "confusion", "pictures", "cost",
                         "studies", "reading"}) {
    INFO(id);
    // Without device time there is no cost to plot against.
    CHECK(tests::occurrences(page, std::string("<section id=\"") + id + '"') ==
          (std::string(id) == "accuracy-cost" ? 0 : 1));
  }
}

TEST_CASE("names of classes, files and studies are text in every form", "[comparison-document]") {
  ComparisonMaterial material = scored_material();
  material.report.name = kHostile;
  material.report.rows[0].approach = kHostile;
  const report::Document document = comparison_document(material);
  const std::string page = report::document_html(document), text = report::document_markdown(document);
  CHECK(page.find("<b onload") == std::string::npos);
  CHECK(tests::occurrences(page, "</script>") == 3);
  CHECK(page.find(html_escaped(kHostile) + " 0.80") != std::string::npos);
  CHECK(text.find("<b onload") == std::string::npos);
  CHECK(text.find(report::markdown_escaped(kHostile)) != std::string::npos);
}

TEST_CASE("example pictures are shown in every format that browsers show, and of a TIFF it is said",
          "[comparison-document]") {
  ScoredComparison comparison;
  comparison.freeze();
  comparison.score();
  const auto shown_as = [&](const std::string& bytes) {
    comparison.write("images/7.jpg", bytes);
    const ExampleImage image = comparison.read().examples.at(0);
    return image.media_type.empty() ? image.missing : image.media_type;
  };
  CHECK(shown_as(kJpeg) == "image/jpeg");
  CHECK(shown_as("\x89PNG\r\n\x1a\n") == "image/png");
  CHECK(shown_as(std::string("RIFF\4\0\0\0WEBP", 12)) == "image/webp");
  CHECK(shown_as("BM....") == "image/bmp");
  CHECK(shown_as(std::string("II*\0", 4)).find("7.jpg is a TIFF, which browsers do not show") !=
        std::string::npos);
  CHECK(shown_as("RIFF....WAVE").find("is neither JPEG, PNG, WebP nor BMP") != std::string::npos);
}

TEST_CASE("what is missing is said in its place, and the report is made all the same",
          "[comparison-document]") {
  ScoredComparison comparison;
  comparison.freeze();
  comparison.score();
  fs::remove(comparison.scoring() / "images" / "7.jpg");
  comparison.write("images/8.jpg", "GIF89a");
  comparison.write("model-1.json", "[{");
  fs::remove(comparison.scoring() / "model-4.json");
  const ComparisonMaterial material = comparison.read();
  const std::string page = report::document_html(comparison_document(material));
  CHECK(page.find("there is no copy of it in ") != std::string::npos);
  CHECK(page.find("8.jpg is neither JPEG, PNG, WebP nor BMP") != std::string::npos);
  const std::string text = report::document_markdown(comparison_document(material));
  CHECK(text.find("its detections are missing: ") != std::string::npos);
  CHECK(text.find("is not JSON") != std::string::npos);
  const Json json = comparison_document_json(material);
  CHECK(json.at("unreadable").size() == 2);
  CHECK(json.at("rows")[0].at("pictured_model") == 1);

  // A link is no copy.
  comparison.write("outside.jpg", kJpeg);
  fs::create_symlink(comparison.scoring() / "outside.jpg", comparison.scoring() / "images" / "7.jpg");
  CHECK(comparison.read().examples[0].bytes.empty());
}

TEST_CASE("a result of another form is shown as far as it goes", "[comparison-document]") {
  for (const char* key : {"classes", "confusion"}) {
    for (const Json& odd : {Json(), Json(3), Json{{"counts", {{1}}}}, Json{1, 2}}) {
      ScoredComparison comparison;
      comparison.freeze();
      Json result = ScoredComparison::full_result();
      result["results"][1][key] = odd;
      comparison.score(result);
      CAPTURE(key, odd.dump());
      CHECK(report::document_html(comparison_document(comparison.read())).find("id=\"pictures\"") !=
            std::string::npos);
    }
  }
  const Json turned = {{"image_id", 7},
                       {"width", 1e300},
                       {"height", -4},
                       {"objects", {{{"name", "pit"}, {"bbox", {1, 1, -5, 5}}}, 7, {{"bbox", "1"}}}}};
  for (const Json& odd : {Json(), Json(3), Json{{"a", 1}}, Json{1, Json::object(), turned}}) {
    ScoredComparison comparison;
    comparison.freeze();
    Json result = ScoredComparison::full_result();
    result["examples"] = odd;
    comparison.score(result);
    CAPTURE(odd.dump());
    CHECK(report::document_html(comparison_document(comparison.read())).find("id=\"pictures\"") !=
          std::string::npos);
  }
}

TEST_CASE("an unfinished comparison's report shows what there is", "[comparison-document]") {
  ScoredComparison comparison;
  const std::string begun = report::document_markdown(comparison_document(comparison.read()));
  CHECK(begun.find("not scored yet") != std::string::npos);
  CHECK(begun.find("There are none before the test images are scored") != std::string::npos);
  comparison.freeze();
  const ComparisonMaterial frozen = comparison.read();
  CHECK(comparison_charts(frozen).empty());
  const std::string page = report::document_html(comparison_document(frozen));
  CHECK(page.find("<section id=\"scores\">") != std::string::npos);
  CHECK(page.find("<section id=\"confusion\">") == std::string::npos);
  CHECK(comparison_document_json(frozen).at("examples") == Json::array());
}

TEST_CASE("rows stand against their cost with their runs, and the front leaves out what is dearer and worse",
          "[comparison-document]") {
  ComparisonMaterial material = scored_material();
  CHECK(comparison_charts(material).empty());
  material.report.rows[0].cost = {7200, 2, 7.2};
  material.report.rows[1].cost = {3600, 1, 3.6};
  const std::vector<report::Chart> charts = comparison_charts(material);
  REQUIRE(charts.size() == 1);
  REQUIRE(charts[0].series.size() == 3);
  CHECK(charts[0].series[0].role == report::Role::kFront);
  CHECK(charts[0].series[0].names == std::vector<std::string>{"latest"});
  CHECK(charts[0].series[1].y.size() == 4);
  CHECK(charts[0].series[2].x == std::vector<double>{2, 1});
  CHECK(charts[0].series[2].y[1] == Approx(0.45));
  CHECK(*charts[0].x.usd_per_unit == Approx(3.6));
  CHECK(report::chart_json(charts[0]).at("series")[2].at("names") == Json{"legacy", "latest"});
  // Costs that differ by more than a factor of 30 get a logarithmic axis.
  material.report.rows[0].cost = {360000, 100, 360};
  CHECK(comparison_charts(material)[0].x.scale == report::AxisScale::kLog);
}

TEST_CASE("with more classes than a matrix can show, the largest confusions are listed",
          "[comparison-document]") {
  ComparisonMaterial material = scored_material();
  for (int i = 0; i < 40; ++i) material.classes.push_back("class " + std::to_string(i));
  material.confusable = material.classes;
  material.confusable.emplace_back("background");
  for (RowQuality& row : material.rows) {
    row.classes.clear();
    row.confusion.assign(43, std::vector<std::int64_t>(43));
    for (std::size_t i = 0; i < 43; ++i) row.confusion[i][(i + 1) % 43] = static_cast<std::int64_t>(i);
    row.confusion[5][5] = 1000;
  }
  const std::string text = report::document_markdown(comparison_document(material));
  CHECK(text.find("| legacy | background | pit | 42 |") != std::string::npos);
  CHECK(text.find("| latest | class 30 | class 31 | 32 |") == std::string::npos);
  CHECK(text.find("1000") == std::string::npos);
  CHECK(tests::occurrences(text, "\n| latest | class ") == 9);
}

TEST_CASE("curves of one metric share a chart, and end in their row's name", "[comparison-document]") {
  ComparisonMaterial material = scored_material();
  CHECK(comparison_curves(material).empty());
  material.rows[0].curve = {{1, 0.1}, {2, 0.3}};
  material.rows[1].curve = {{1, 0.2}, {3, 0.4}};
  std::vector<report::Chart> charts = comparison_curves(material);
  REQUIRE(charts.size() == 1);
  CHECK(charts[0].title == "validation:mAP by step");
  REQUIRE(charts[0].series.size() == 3);
  CHECK(charts[0].series[2].names == std::vector<std::string>{"legacy", "latest"});
  CHECK(charts[0].series[2].x == std::vector<double>{2, 3});
  CHECK(charts[0].summary == "legacy ends at 0.3; latest ends at 0.4.");
  material.report.rows[1].validation_metric = "Val_CrossEntropy";
  charts = comparison_curves(material);
  REQUIRE(charts.size() == 2);
  CHECK(charts[0].id != charts[1].id);
  CHECK(comparison_document_json(material).at("rows")[1].at("curve").at("steps") == Json{1, 3});
}

TEST_CASE("the axis of intervals is not stretched by one that says nothing", "[comparison-document]") {
  report::Intervals intervals{
      "", {{"a", "better", 0.1, 0.05, 0.15}, {"b", "not distinguishable", 0.02, -3.0, 3.0}}};
  CHECK(report::reach_of(intervals) == Approx(0.2));
  intervals.rows.pop_back();
  CHECK(report::reach_of(intervals) == Approx(0.15));
  CHECK(report::reach_of({"", {{"c", "", 0, {}, {}}}}) == 1);
  // A difference that is nothing beside its own interval: that is shown whole.
  CHECK(report::reach_of({"", {{"d", "", 0.001, -0.1, 0.1}}}) == Approx(0.1));
  const std::string strip = report::intervals_html(intervals);
  CHECK(strip.find("cx=\"83.3333%\"") != std::string::npos);
}

}  // namespace
}  // namespace tune::compare
