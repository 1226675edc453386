#include "trainer/tasks/classification/data/predictions.h"

#include "support/catch.h"
#include "trainer/tasks/classification/data/scored_examples.h"
#include "trainer/tasks/image_classification/data/image_items.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::classification;
using image_classification::image_items;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;

namespace {

using Names = std::vector<std::string>;
using Sets = std::vector<metrics::Labels>;

// "FILE: " off, since the folder differs from run to run.
std::string objection_to(const TestFolder& folder, const std::string& name, const std::string& content,
                         std::optional<bool> multi_label = std::nullopt) {
  const auto file = folder.write(name, content);
  const std::string message =
      message_of(ExitCode::kBadData, [&] { read_predictions(file, image_items(), multi_label); });
  INFO(content);
  REQUIRE(message.starts_with(file.string()));
  return message.substr(file.string().size() + 2);
}

std::string json_of(const std::string& predictions,
                    const std::string& before = R"("classes": ["cat", "dog"])") {
  return R"({"schema": 1, )" + before + R"(, "predictions": [)" + predictions + "]}";
}

ScoredExamples truth_of(const TestFolder& folder, const std::string& csv) {
  return scored_examples(read_predictions(folder.write("truth.csv", csv), image_items()), image_items(),
                         "truth.csv");
}

MatchedPredictions matched(const TestFolder& folder, const std::string& csv, ScoredExamples& images,
                           const std::set<std::string>& elsewhere = {}) {
  const Predictions predictions =
      read_predictions(folder.write("said.csv", csv), image_items(), images.multi_label);
  add_classes(predictions, "said.csv", images);
  return match(predictions, "said.csv", images, elsewhere);
}

}  // namespace

TEST_CASE("predictions that are written are read again as they were") {
  const TestFolder folder;
  const auto file = folder.path() / "predictions.json";
  for (const bool multi_label : {false, true}) {
    const Predictions written{{"cat", "dog \"x\""},
                              multi_label,
                              {"a.jpg", "b/c.jpg"},
                              multi_label ? Sets{{}, {0, 1}} : Sets{{1}, {0}},
                              {0.25, 0.75, 0.9, 0.1F}};
    write_predictions(file, image_items(), written);
    const Predictions read = read_predictions(file, image_items(), multi_label);
    CHECK(read.classes == written.classes);
    CHECK(read.multi_label == multi_label);
    CHECK(read.names == written.names);
    CHECK(read.labels == written.labels);
    CHECK(static_cast<float>(read.probabilities[2]) == 0.9F);
    CHECK(read.probabilities[3] == 0.1);  // the shortest text of the float
  }
  const std::string text = tune::read_file(file);
  CHECK(std::count(text.begin(), text.end(), '\n') == 7);  // a line for each image
}

TEST_CASE("a CSV has labels, probabilities or both") {
  const TestFolder folder;
  const auto read = [&](const std::string& csv) {
    return read_predictions(folder.write("p.csv", csv), image_items());
  };
  const Predictions labels = read("path,label\nb.jpg,dog\n\"a,1.jpg\",cat\n");
  CHECK(labels.classes == Names{"cat", "dog"});
  CHECK(labels.names == Names{"b.jpg", "a,1.jpg"});
  CHECK(labels.labels == Sets{{1}, {0}});
  CHECK(labels.probabilities.empty());
  const Predictions likely = read("dog,Image,cat\n0.2,sub\\a.jpg,0.8\n0.5,b.jpg,0.5\n");
  CHECK(likely.classes == Names{"dog", "cat"});
  CHECK(likely.names == Names{"sub/a.jpg", "b.jpg"});
  CHECK(likely.labels == Sets{{1}, {0}});  // of equal ones the first
  const Predictions both = read("path,label,cat,dog\na.jpg,dog,0.8,0.2\n");
  CHECK(both.labels == Sets{{1}});
  CHECK(both.probabilities == std::vector<double>{0.8, 0.2});
  const Predictions bare = read("a.jpg,dog\nb.jpg,cat\n");
  CHECK(bare.names == Names{"a.jpg", "b.jpg"});
  CHECK(bare.labels == Sets{{1}, {0}});
  CHECK(read("path,label,split\na.jpg,cat,train\n").classes == Names{"cat"});
  const Predictions several = read("path,labels\na.jpg,dog|cat\nb.jpg,\nc.jpg,cat;cat\n");
  CHECK(several.multi_label);
  CHECK(several.labels == Sets{{0, 1}, {}, {0}});
}

TEST_CASE("what is wrong with predictions is said with its place") {
  const TestFolder folder;
  CHECK(objection_to(folder, "p.csv", "") == "it is empty");
  CHECK(objection_to(folder, "p.csv", "a.jpg,cat,dog\n") ==
        "line 1: the first row does not name the columns");
  CHECK(objection_to(folder, "p.csv", "path,label\n") == "there is no prediction");
  CHECK(objection_to(folder, "p.csv", "path,label\na.jpg\n") ==
        "line 2: it has 1 cells, and the first row has 2");
  CHECK(objection_to(folder, "p.csv", "path,label\n\na.jpg,cat\na.jpg,dog\n") ==
        "line 4: the image \"a.jpg\" is there twice, first at line 3");
  CHECK(objection_to(folder, "p.csv", "path,label\na.jpg,\n", false) ==
        "line 2: the image has 0 labels, where each has one class");
  CHECK(objection_to(folder, "p.csv", "path,cat,dog\na.jpg,0.5,x\n") == "line 2: \"x\" is no number");
  CHECK(objection_to(folder, "p.csv", "path,cat,dog\na.jpg,3.5,-2\n") ==
        "line 2: the probability 3.5 is not between 0 and 1");
  CHECK(objection_to(folder, "p.csv", "path,cat,dog\na.jpg,nan,0.5\n") ==
        "line 2: the probability nan is not between 0 and 1");
  CHECK(objection_to(folder, "p.csv", "path,cat,dog\na.jpg,0.5,0.25\n") ==
        "line 2: the probabilities add up to 0.75, not to 1");
  CHECK(objection_to(folder, "p.csv", "path,cat,cat\na.jpg,0.5,0.5\n") ==
        "line 1: the class \"cat\" is there twice");
  CHECK(objection_to(folder, "p.csv", "path,label,cat\na.jpg,dog,1\n") ==
        "line 2: the label \"dog\" is none of the classes");

  CHECK(contains(objection_to(folder, "p.json", "[1, 2"), "not JSON"));
  CHECK(objection_to(folder, "p.json", "[]") == "it holds no list \"predictions\"");
  CHECK(objection_to(folder, "p.json", R"({"schema": 2, "predictions": []})") == "\"schema\" is 2, not 1");
  CHECK(objection_to(folder, "p.json", json_of("", R"("task": "detection", "classes": ["cat"])")) ==
        "it is of the task \"detection\"");
  CHECK(objection_to(folder, "p.json", json_of("")) == "there is no prediction");
  CHECK(objection_to(folder, "p.json", json_of("{}", R"("classes": [])")) == "it holds no list \"classes\"");
  CHECK(objection_to(folder, "p.json", json_of("{}", R"("classes": [3])")) == "the class 3 is no text");
  CHECK(objection_to(folder, "p.json", json_of("{}")) == "predictions[0]: it names no \"image\"");
  CHECK(objection_to(folder, "p.json", json_of(R"({"image": "a"})")) ==
        "predictions[0]: it has neither a \"label\" nor \"probabilities\"");
  CHECK(objection_to(folder, "p.json", json_of(R"({"image": "a", "label": 1})")) ==
        "predictions[0]: the label 1 is no text");
  CHECK(objection_to(folder, "p.json", json_of(R"({"image": "a", "probabilities": [1]})")) ==
        "predictions[0]: \"probabilities\" has 1 numbers");
  CHECK(objection_to(folder, "p.json", json_of(R"({"image": "a", "probabilities": [1, null]})")) ==
        "predictions[0]: the probability null is no number");
  CHECK(
      objection_to(
          folder, "p.json",
          json_of(
              R"({"image": "a", "label": "cat", "probabilities": [1, 0]}, {"image": "b", "label": "dog"})")) ==
      "1 of 2 predictions have not probabilities");
  CHECK(objection_to(folder, "p.json", json_of(R"({"image": "a", "labels": ["cat", "dog"]})")) ==
        "predictions[0]: the image has 2 labels, where each has one class");
  CHECK(contains(objection_to(folder, "p.json", json_of(R"({"image": "a", "label": "cat"})"), true),
                 "it gives each image one class, where the data has images of several classes or none"));
}

TEST_CASE("predictions are brought into the order of the images, and by their classes") {
  const TestFolder folder;
  ScoredExamples images = truth_of(folder, "path,label\nb.jpg,dog\na.jpg,cat\nc.jpg,owl\n");
  CHECK(images.names == Names{"a.jpg", "b.jpg", "c.jpg"});
  CHECK(images.truth == Sets{{0}, {1}, {2}});
  const MatchedPredictions said =
      matched(folder, "path,emu,dog,cat\nc.jpg,0.5,0.25,0.25\na.jpg,0,0.25,0.75\nb.jpg,0,0,1\n", images);
  CHECK(images.classes == Names{"cat", "dog", "owl", "emu"});
  CHECK(said.labels == Sets{{0}, {0}, {3}});
  REQUIRE(said.probabilities);
  CHECK(std::vector<double>(said.probabilities->of(2).begin(), said.probabilities->of(2).end()) ==
        std::vector<double>{0.25, 0.25, 0, 0.5});
  REQUIRE(images.warnings.size() == 1);
  CHECK(images.warnings[0] ==
        "said.csv does not name the class \"owl\" of truth.csv, whose images count as wrong");
}

TEST_CASE("every image needs a prediction, and every prediction an image") {
  const TestFolder folder;
  const std::string truth = "path,label\na.jpg,cat\nb.jpg,dog\nc.jpg,dog\n";
  ScoredExamples images = truth_of(folder, truth);
  CHECK(message_of(ExitCode::kBadData, [&] { matched(folder, "path,label\na.jpg,cat\n", images); }) ==
        "said.csv: there is no prediction of 2 images of truth.csv, \"b.jpg\" for one");
  const std::string more = "path,label\na.jpg,cat\nb.jpg,cat\nc.jpg,cat\nd.jpg,cat\n";
  CHECK(message_of(ExitCode::kBadData, [&] { matched(folder, more, images); }) ==
        "said.csv: the image \"d.jpg\" is none of truth.csv");
  CHECK(matched(folder, more, images, {"d.jpg"}).labels.size() == 3);
}

TEST_CASE("groups of images are read by name or by number, and are whole") {
  const TestFolder folder;
  const ScoredExamples images = truth_of(folder, "path,label\na,cat\nb,dog\nc,dog\nd,cat\n");
  const auto groups = [&](const std::string& list) {
    return read_groups(folder.write("groups.json", R"({"groups": )" + list + "}"), images);
  };
  using Groups = std::vector<std::vector<std::uint32_t>>;
  CHECK(groups(R"([["c", "a"], ["x", "b"]])") == Groups{{2, 0}, {1}, {3}});
  CHECK(groups("[[3, 1], [9]]") == Groups{{2, 0}, {1}, {3}});
  CHECK(groups("[]") == every_one_alone(images));
  const auto objection = [&](const std::string& list) {
    const std::string message = message_of(ExitCode::kBadData, [&] { groups(list); });
    return message.substr(message.find("groups.json") + 11);
  };
  CHECK(objection(R"([["a"], ["a"]])") == ", groups[1]: the image \"a\" appears twice");
  CHECK(objection(R"([["x"]])") == ": none of its images is in truth.csv");
  CHECK(objection("[[1.5]]") == ", groups[0]: 1.5 is neither a name nor a number of images");
  CHECK(objection("3") == " holds no list \"groups\"");
}
