#include <sstream>

#include "trainer/tasks/image_classification/offers.h"
#include "tuner/core/json.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::OrderedJson;

namespace {

using Values = std::map<std::string, std::vector<std::string>>;

struct Scored {
  loop::Answer answer;
  std::string notes;
};

Scored score(Values values, bool as_json = true) {
  std::ostringstream notes;
  const loop::Request request{std::move(values), as_json, notes};
  loop::Answer answer = image_classification::score_offer().answer(request);
  return {std::move(answer), notes.str()};
}

constexpr const char* kTruth = "path,label\na.jpg,cat\nb.jpg,cat\nc.jpg,dog\nd.jpg,dog\n";
constexpr const char* kGood =
    "path,cat,dog\na.jpg,0.9,0.1\nb.jpg,0.75,0.25\nc.jpg,0.25,0.75\nd.jpg,0.6,0.4\n";
constexpr const char* kBad = "path,label\na.jpg,dog\nb.jpg,cat\nc.jpg,cat\nd.jpg,dog\n";

}  // namespace

TEST_CASE("score gives all numbers of one file of predictions, without any image") {
  const TestFolder folder;
  const std::string truth = folder.write("truth.csv", kTruth).string(),
                    good = folder.write("good.csv", kGood).string();
  const OrderedJson json = score({{"ground-truth", {truth}}, {"predictions", {good}}}).answer.json;
  CHECK(json.at("schema") == 1);
  CHECK(json.at("images") == 4);
  CHECK(json.at("accuracy") == 0.75);
  CHECK(json.at("auc") == 1.0);
  CHECK(json.at("classes")[0].at("name") == "cat");
  CHECK(json.at("classes")[0].at("images") == 2);
  CHECK(json.at("confusion").at("counts") == OrderedJson({{2, 0}, {1, 1}}));
  CHECK(json.at("form") == "a table of labels");
  const std::string text = score({{"ground-truth", {truth}}, {"predictions", {good}}}, false).answer.text;
  CHECK(contains(text, "4 images\n"));
  CHECK(contains(text, "accuracy                      0.750\n"));
  CHECK(contains(text, "  2 dog                           1      1\n"));
}

TEST_CASE("score counts the classes of --labels in their order, also of a table without images") {
  const TestFolder folder;
  const std::string truth = folder.write("truth.csv", kTruth).string(),
                    good = folder.write("good.csv", kGood).string(),
                    labels = folder.write("labels.json", R"({"classes": ["dog", "bird", "cat"]})").string(),
                    others = folder.write("others.json", R"({"classes": ["dog", "bird"]})").string();
  const auto scored_by = [&](const std::string& file) {
    return score({{"ground-truth", {truth}}, {"predictions", {good}}, {"labels", {file}}}).answer.json;
  };
  const OrderedJson json = scored_by(labels);
  CHECK(json.at("accuracy") == 0.75);
  CHECK(json.at("classes")[1].at("name") == "bird");
  CHECK(json.at("classes")[1].at("images") == 0);
  CHECK(json.at("confusion").at("counts") == OrderedJson({{1, 0, 1}, {0, 0, 0}, {0, 0, 2}}));
  CHECK(message_of(ExitCode::kBadData, [&] { scored_by(others); }) ==
        truth + ": the class \"cat\" is none of the labels: dog, bird");
}

TEST_CASE("several files are scored on the same resamples, drawn in groups") {
  const TestFolder folder;
  const std::string
      truth = folder.write("truth.csv", kTruth).string(),
      good = folder.write("good.csv", kGood).string(), bad = folder.write("bad.csv", kBad).string(),
      groups = folder.write("groups.json", R"({"groups": [["a.jpg", "b.jpg", "c.jpg", "d.jpg"]]})").string();
  const Values values{
      {"ground-truth", {truth}}, {"predictions", {good, bad}}, {"resamples", {"50"}}, {"seed", {"3"}}};
  const OrderedJson json = score(values).answer.json;
  REQUIRE(json.at("results").size() == 2);
  CHECK(json.at("results")[0].at("accuracy") == 0.75);
  CHECK(json.at("results")[1].at("predictions") == bad);
  CHECK(json.at("results")[1].at("accuracy") == 0.5);
  CHECK_FALSE(json.at("results")[1].contains("log_loss"));  // its file has no probabilities
  const OrderedJson& resamples = json.at("resamples");
  CHECK(resamples.at("count") == 50);
  CHECK(resamples.at("groups") == 4);
  CHECK(resamples.at("accuracy").size() == 2);
  CHECK(resamples.at("accuracy")[0].size() == 50);
  CHECK(resamples.at("accuracy")[0] != resamples.at("accuracy")[1]);
  CHECK(score(values).answer.json == json);
  Values grouped = values;
  grouped["groups"] = {groups};
  const OrderedJson one = score(grouped).answer.json.at("resamples");
  CHECK(one.at("groups") == 1);
  for (const OrderedJson& accuracy : one.at("accuracy")[0]) CHECK(accuracy == 0.75);  // all or nothing
  const std::string text = score(values, false).answer.text;
  CHECK(contains(text, "95 % intervals of 50 resamples of 4 groups of images (seed 3):\n"));
  CHECK(contains(text, "bad.csv minus " + good + ": accuracy -"));
}

TEST_CASE("examples show images of a data set with what is true and what each file says") {
  const TestFolder folder;
  for (const char* name : {"cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png"})
    folder.write_image(std::string("data/") + name, 20 + name[4], 10);
  const std::string said =
      folder.write("said.csv", "path,label\ncat/a.png,cat\ncat/b.png,dog\ndog/c.png,dog\ndog/d.png,dog\n")
          .string();
  const OrderedJson json = score({{"ground-truth", {(folder.path() / "data").string()}},
                                  {"predictions", {said}},
                                  {"examples", {"2"}}})
                               .answer.json;
  CHECK(json.at("accuracy") == 0.75);
  REQUIRE(json.at("examples").size() == 2);
  const OrderedJson& second = json.at("examples")[0];
  CHECK(second.at("file_name") == "cat/b.png");
  CHECK(second.at("image_id") == 2);
  CHECK(second.at("height") == 10);
  CHECK(second.at("labels") == OrderedJson::array({"cat"}));
  CHECK(second.at("predicted")[0].at("labels") == OrderedJson::array({"dog"}));
}

TEST_CASE("what does not go together is refused before anything is read") {
  const auto refused = [](Values values, bool as_json = true) {
    values["ground-truth"] = {"missing.csv"};
    values["predictions"] = {"missing.json"};
    return message_of(ExitCode::kUsage, [&] { score(values, as_json); });
  };
  CHECK(refused({{"seed", {"1"}}}) == "--seed without --resamples");
  CHECK(refused({{"groups", {"g.json"}}}) == "--groups without --resamples");
  CHECK(refused({{"examples", {"2"}}}, false) == "--examples without --json");
}
