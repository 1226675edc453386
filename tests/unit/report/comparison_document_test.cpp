// A comparison's document, out of a real record and the files of a scoring.
#include "tuner/report/comparison_document.h"

#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/report/escape.h"
#include "tuner/report/markup.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryFolder;

constexpr const char* kComparison = R"({ "comparison": "steel",
  "objective": { "metric": "validation:mAP", "goal": "maximize" },
  "trainer": { "task": "detection", "model": "m", "data": "train", "test": "test" },
  "seeds": 2, "cost": { "usd_per_hour": 3.6, "date": "2026-11-21" },
  "approaches": [ { "name": "legacy" }, { "name": "latest" } ] })";

const std::string kHostile = "</script><b onload=\"pwned=1\">|*";
const std::string kJpeg = std::string("\xFF\xD8\xFF\xE0", 4) + "pixels";

Json result_of(double ap, const Json& counts) {
  return {{"AP", ap},
          {"AP50", ap + 0.2},
          {"classes",
           {{{"name", "pit"}, {"objects", 3}, {"AP", ap - 0.1}, {"AP50", ap}, {"category_id", 1}},
            {{"name", kHostile}, {"objects", 1}, {"AP", ap + 0.1}, {"AP50", ap}, {"category_id", 2}}}},
          {"confusion",
           {{"classes", {"pit", kHostile, "background"}}, {"counts", counts}, {"iou", 0.5}, {"score", 0.3}}}};
}

Json detection(int image, int category, const Json& box, double score) {
  return {{"image_id", image}, {"category_id", category}, {"bbox", box}, {"score", score}};
}

// A store with a scored comparison: two approaches of two runs each, two example images.
class ScoredComparison {
 public:
  ScoredComparison() : record_(begin()) {}

  void freeze() {
    std::vector<store::FrozenModel> models;
    // The first approach's first run and the second's last one are the best by validation.
    const std::vector<double> validation{0.4, 0.3, 0.1, 0.2};
    for (int number = 1; number <= 4; ++number) {
      const std::string approach = number <= 2 ? "legacy" : "latest";
      models.push_back({number, approach, "defaults", "steel." + approach + ".defaults", (number - 1) % 2 + 1,
                        validation[static_cast<std::size_t>(number - 1)], "nowhere", std::string(64, 'a')});
    }
    record_.freeze(models, Json::object());
  }
  void score(Json result = full_result()) {
    const int number = record_.begin_scoring(store::at(1));
    record_.end_scoring(number, result, store::at(2));
    fs::create_directories(scoring() / "images");
    write("images/7.jpg", kJpeg);
    for (int model = 1; model <= 4; ++model)
      write("model-" + std::to_string(model) + ".json",
            Json{detection(7, 1, {10, 10, 40, 40}, 0.9), detection(7, 2, {11, 11, 40, 40}, 0.8),
                 detection(7, 1, {0, 0, 5, 5}, 0.29), detection(8, 1, {1, 1, 5, 5}, 0.5)}
                .dump());
  }
  static Json full_result() {
    const Json counts = {{2, 0, 1}, {0, 1, 0}, {1, 0, 0}};
    Json resampled = Json::array();
    for (int model = 0; model < 4; ++model)
      resampled.push_back({0.1 * model, 0.1 * model + 0.01, 0.1 * model + 0.02});
    return {
        {"schema", 1},
        {"images", 20},
        {"results",
         {result_of(0.2, counts), result_of(0.3, counts), result_of(0.4, counts), result_of(0.5, counts)}},
        {"resamples", {{"count", 3}, {"seed", 0}, {"groups", 18}, {"AP", resampled}, {"AP50", resampled}}},
        {"examples",
         {{{"image_id", 7},
           {"file_name", "a" + kHostile},
           {"path", nullptr},
           {"width", 100},
           {"height", 80},
           {"objects", {{{"name", "pit"}, {"bbox", {10, 10, 40, 40}}}}}},
          {{"image_id", 8},
           {"file_name", "b.jpg"},
           {"path", nullptr},
           {"width", 100},
           {"height", 80},
           {"objects", Json::array()}}}}};
  }
  fs::path scoring() const { return folder_.path() / "comparisons" / "steel" / "scorings" / "1"; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(scoring() / name, std::ios::binary) << content;
  }
  ComparisonMaterial read() const {
    ComparisonMaterial material = read_comparison_material(folder_.path(), comparison(), record_);
    material.version = "0.1.0";
    material.made = store::at(0);
    return material;
  }

 private:
  Comparison comparison() const { return parse_comparison(kComparison, "steel", folder_.path()); }
  store::ComparisonStore begin() const {
    fs::create_directories(folder_.path() / "comparisons" / "steel");
    store::ComparisonStore record(folder_.path() / "comparisons" / "steel" / "comparison.db",
                                  store::OpenMode::kCreate);
    record.begin({"steel", Json::parse(kComparison), kComparison, folder_.path().string(), store::at(0),
                  Json::object()});
    return record;
  }

  TemporaryFolder folder_;
  store::ComparisonStore record_;
};

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

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
  CHECK(material.rows[0].classes[0].ap == Approx(0.15));
  CHECK(material.rows[1].classes[1].ap == Approx(0.55));
  CHECK(material.rows[1].classes[0].objects == 3);
  CHECK(material.rows[0].confusion ==
        std::vector<std::vector<std::int64_t>>{{4, 0, 2}, {0, 2, 0}, {2, 0, 0}});
  CHECK(material.rows[0].pictured == 1);
  CHECK(material.rows[1].pictured == 4);
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
  const std::string page = document_html(comparison_document(material));
  CHECK(occurrences(page, "data:image/jpeg;base64," + base64(kJpeg)) == 1);
  CHECK(occurrences(page, "<image id=\"picture-7\"") == 1);
  CHECK(occurrences(page, "<use href=\"#picture-7\"/>") == 2);
  // One object, and two detections in each of two panels, each with its halo and its number.
  CHECK(occurrences(page, "class=\"box ") == 5);
  CHECK(occurrences(page, "class=\"box tone-1 wrong\"") == 2);
  CHECK(occurrences(page, "class=\"tag ") == 5);
  CHECK(page.find(">pit 0.90</li>") != std::string::npos);
  CHECK(occurrences(page, "<table class=\"matrix\">") == 2);
  for (const char* id : {"scores", "questions", "accuracy-cost", "classes", "confusion", "pictures", "cost",
                         "studies", "reading"}) {
    INFO(id);
    // Without device time there is no cost to plot against.
    CHECK(occurrences(page, std::string("<section id=\"") + id + '"') ==
          (std::string(id) == "accuracy-cost" ? 0 : 1));
  }
}

TEST_CASE("names of classes, files and studies are text in every form", "[comparison-document]") {
  ComparisonMaterial material = scored_material();
  material.report.name = kHostile;
  material.report.rows[0].approach = kHostile;
  const Document document = comparison_document(material);
  const std::string page = document_html(document), text = document_markdown(document);
  CHECK(page.find("<b onload") == std::string::npos);
  CHECK(occurrences(page, "</script>") == 3);
  CHECK(page.find(html_escaped(kHostile) + " 0.80") != std::string::npos);
  CHECK(text.find("<b onload") == std::string::npos);
  CHECK(text.find(markdown_escaped(kHostile)) != std::string::npos);
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
  const std::string page = document_html(comparison_document(material));
  CHECK(page.find("there is no copy of it in ") != std::string::npos);
  CHECK(page.find("8.jpg is neither JPEG nor PNG") != std::string::npos);
  const std::string text = document_markdown(comparison_document(material));
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
      CHECK(document_html(comparison_document(comparison.read())).find("id=\"pictures\"") !=
            std::string::npos);
    }
  }
  for (const Json& odd : {Json(), Json(3), Json{{"a", 1}}, Json{1, Json::object(), {{"image_id", 7}}}}) {
    ScoredComparison comparison;
    comparison.freeze();
    Json result = ScoredComparison::full_result();
    result["examples"] = odd;
    comparison.score(result);
    CAPTURE(odd.dump());
    CHECK(document_html(comparison_document(comparison.read())).find("id=\"pictures\"") != std::string::npos);
  }
}

TEST_CASE("an unfinished comparison's report shows what there is", "[comparison-document]") {
  ScoredComparison comparison;
  const std::string begun = document_markdown(comparison_document(comparison.read()));
  CHECK(begun.find("not scored yet") != std::string::npos);
  CHECK(begun.find("There are none before the test images are scored") != std::string::npos);
  comparison.freeze();
  const ComparisonMaterial frozen = comparison.read();
  CHECK(comparison_charts(frozen).empty());
  const std::string page = document_html(comparison_document(frozen));
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
  const std::vector<Chart> charts = comparison_charts(material);
  REQUIRE(charts.size() == 1);
  REQUIRE(charts[0].series.size() == 3);
  CHECK(charts[0].series[0].role == Role::kFront);
  CHECK(charts[0].series[0].names == std::vector<std::string>{"latest"});
  CHECK(charts[0].series[1].y.size() == 4);
  CHECK(charts[0].series[2].x == std::vector<double>{2, 1});
  CHECK(charts[0].series[2].y[1] == Approx(0.45));
  CHECK(*charts[0].x.usd_per_unit == Approx(3.6));
  CHECK(chart_json(charts[0]).at("series")[2].at("names") == Json{"legacy", "latest"});
  // Costs that differ by more than a factor of 30 get a logarithmic axis.
  material.report.rows[0].cost = {360000, 100, 360};
  CHECK(comparison_charts(material)[0].x.scale == AxisScale::kLog);
}

TEST_CASE("the axis of intervals is not stretched by one that says nothing", "[comparison-document]") {
  Intervals intervals{"", {{"a", "better", 0.1, 0.05, 0.15}, {"b", "not distinguishable", 0.02, -3.0, 3.0}}};
  CHECK(reach_of(intervals) == Approx(0.2));
  intervals.rows.pop_back();
  CHECK(reach_of(intervals) == Approx(0.15));
  CHECK(reach_of({"", {{"c", "", 0, {}, {}}}}) == 1);
  const std::string strip = intervals_html(intervals);
  CHECK(strip.find("cx=\"83.3333%\"") != std::string::npos);
}

TEST_CASE("base64 is RFC 4648's", "[comparison-document]") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xFF\xFE\xFD") == "//79");
}

}  // namespace
}  // namespace tune::report
