// What a trial trains on, validates on and is tested on: splits by content, and sets that must be apart.
#include <set>
#include <sstream>

#include "trainer/data/overlap_search.h"
#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/detection/detection_training.h"
#include "trainer/tasks/detection/training_data.h"
#include "trainer/weights/state_dict.h"
#include "unit/trainer/photographs.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;
namespace fs = std::filesystem;

namespace {

// A COCO data set of one class; `crowds` says of each image whether its one object is a crowd region.
fs::path write_coco(const TestFolder& folder, const std::string& name, const std::vector<bool>& crowds) {
  Json coco{{"categories", {{{"id", 1}, {"name", "pit"}}}},
            {"images", Json::array()},
            {"annotations", Json::array()}};
  for (std::size_t i = 0; i < crowds.size(); ++i) {
    const std::string file = std::to_string(i) + ".png";
    folder.write_image(name + "/" + file, 40, 20 + static_cast<int>(i));
    coco["images"].push_back({{"id", i + 1}, {"file_name", file}, {"width", 40}, {"height", 20 + i}});
    coco["annotations"].push_back({{"id", i + 1},
                                   {"image_id", i + 1},
                                   {"category_id", 1},
                                   {"bbox", {2, 2, 20, 10}},
                                   {"area", 200},
                                   {"iscrowd", crowds[i] ? 1 : 0}});
  }
  folder.write(name + "/annotations.json", coco.dump());
  return folder.path() / name;
}

}  // namespace

TEST_CASE("A third part that is to stay untouched is kept from training") {
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) data.add(texture(seed, 100), 0, 0);
  std::ostringstream notes;
  const auto parts = [&](const char* test) {
    const Json split{{"fractions", {0.6, 0.2, 0.2}}, {"test", test}};
    return read_training_data({{"data", data.path().string()}, {"split", split}}, 1, notes, nullptr);
  };
  const TrainingData measured = parts("measured"), untouched = parts("untouched");
  REQUIRE(measured.test);
  CHECK_FALSE(untouched.test);
  CHECK(untouched.training.examples.size() == measured.training.examples.size());
  CHECK(untouched.validation.examples.size() == measured.validation.examples.size());
  CHECK(contains(message_of(ExitCode::kBadSpec, [&] { parts("seen"); }), "split.test is neither"));
}

TEST_CASE("a split by content keeps overlapping crops on one side and says so, and parts can be asked for") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Surface surface = texture(seed, 150);
    data.add(surface, 0, 0);
    data.add(surface, 31, 20);
  }
  std::ostringstream notes;
  const Json split{{"fractions", {0.5, 0.5}}, {"grouping", "content"}};
  const TrainingData cut =
      read_training_data({{"data", data.path().string()}, {"split", split}}, 2, notes, nullptr);
  CHECK(cut.split["may_leak"] == false);
  CHECK(cut.split["groups"] == 6);
  CHECK(cut.split["largest_group"] == 2);
  CHECK(cut.split["crossing_overlaps"] == 0);
  CHECK(cut.training.examples.size() == 6);
  for (const Example& example : cut.training.examples) {
    const std::int64_t partner = example.image_id % 2 == 0 ? example.image_id - 1 : example.image_id + 1;
    CHECK(std::any_of(cut.training.examples.begin(), cut.training.examples.end(),
                      [&](const Example& other) { return other.image_id == partner; }));
  }
  CHECK_FALSE(contains(notes.str(), "warning"));
  const Dataset part = read_part(data.path(), {Labels::kIgnored, {"other", "pit"}, nullptr},
                                 PartChoice{split, "validation"}, 2, notes, nullptr);
  REQUIRE(part.examples.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(part.examples[i].image_id == cut.validation.examples[i].image_id);
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              read_part(data.path(), {}, PartChoice{split, "test"}, 2, notes, nullptr);
                            }),
                 "the test part"));

  const TrainingData by_image = read_training_data({{"data", data.path().string()}}, 2, notes, nullptr);
  CHECK(by_image.split["grouping"] == "image");
  CHECK(by_image.split["may_leak"] == true);
  CHECK(contains(notes.str(), "warning: the images are split one by one"));
}

TEST_CASE(
    "a test set of its own that shows training surfaces is refused by name, a validation set is marked") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data"), test(folder, "test"), clean(folder, "clean");
  const Surface surface = texture(1, 150);
  for (std::uint64_t seed = 2; seed <= 5; ++seed) data.add(texture(seed, 100), 0, 0);
  data.add(surface, 0, 0);
  test.add(surface, 30, 25);
  clean.add(texture(9, 100), 0, 0);
  std::ostringstream notes;
  const Json trainer{{"data", data.path().string()}, {"test", test.path().string()}};
  const std::string refusal =
      message_of(ExitCode::kBadData, [&] { read_training_data(trainer, 1, notes, nullptr); });
  INFO(refusal);
  CHECK(contains(refusal, "i104.jpg and " + (test.path() / "images" / "i100.jpg").string() +
                              ", shifted by (30, 25) pixels"));
  const TrainingData marked = read_training_data(
      {{"data", data.path().string()}, {"validation", test.path().string()}, {"test", clean.path().string()}},
      1, notes, nullptr);
  CHECK(marked.split["may_leak"] == true);
  CHECK(marked.split["validation_overlaps"] == 1);
  CHECK(contains(notes.str(), "so the metrics may be too good"));
  const TrainingData apart = read_training_data(
      {{"data", data.path().string()}, {"validation", clean.path().string()}}, 1, notes, nullptr);
  CHECK(apart.split["may_leak"] == false);
}

TEST_CASE("a cut by content through faint overlaps counts them and says that it may leak") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  constexpr std::size_t kImages = 24;
  data::OverlapSearch search;
  for (std::size_t i = 0; i < kImages; ++i) search.images.push_back(data.add(texture(1, 100), 2, 2));
  for (std::size_t i = 0; i < kImages; ++i)
    images::write_grey_as_jpeg(search.images[i], std::vector<std::uint8_t>(64, static_cast<std::uint8_t>(i)),
                               8, 8, 88);
  CHECK(data::find_overlaps(search).empty());
  // A chain of faint ones, as a search may find them: 20 images are the most that these join.
  Json kept = Json::parse(tune::read_file(cache.file()));
  for (std::size_t i = 0; i + 1 < kImages; ++i)
    kept["overlaps"].push_back({i, i + 1, 1, 1, 0.5, 0.6 - 0.01 * static_cast<double>(i), 0.3});
  tune::write_file_atomically(cache.file(), kept.dump());
  std::ostringstream notes;
  const Json split{{"fractions", {0.5, 0.5}}, {"grouping", "content"}};
  const TrainingData cut =
      read_training_data({{"data", data.path().string()}, {"split", split}}, 1, notes, nullptr);
  CHECK(cut.split["largest_group"] == 20);
  CHECK(cut.split["crossing_overlaps"] == 1);
  CHECK(cut.split["may_leak"] == true);
  CHECK(contains(notes.str(), "warning: 1 faint overlap of two images had to be cut through"));
  // A command that looks at a part of it learns the same of the cut.
  tune::OrderedJson cut_of_part;
  read_part(
      data.path(), {Labels::kRequired, {}, nullptr}, PartChoice{split, "validation"}, 1, notes,
      [] { return false; }, &cut_of_part);
  CHECK(cut_of_part["crossing_overlaps"] == 1);
  CHECK(cut_of_part["may_leak"] == true);
}

TEST_CASE("a test set of its own is held against a validation set of its own too") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data"), validation(folder, "validation"), test(folder, "test");
  const Surface surface = texture(1, 150);
  data.add(texture(2, 100), 0, 0);
  data.add(texture(3, 100), 0, 0);
  validation.add(surface, 0, 0);
  test.add(texture(4, 100), 0, 0);
  test.add(surface, 30, 25);
  std::ostringstream notes;
  const Json trainer{{"data", data.path().string()},
                     {"validation", validation.path().string()},
                     {"test", test.path().string()}};
  const std::string refusal =
      message_of(ExitCode::kBadData, [&] { read_training_data(trainer, 1, notes, nullptr); });
  INFO(refusal);
  CHECK(contains(refusal, "1 of 2 images of trainer.test"));
  CHECK(contains(refusal, "show surfaces of trainer.validation " + validation.path().string()));
}

TEST_CASE("images of a validation set that show training surfaces are counted, not the pairs") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data"), validation(folder, "validation");
  const Surface surface = texture(1, 150);
  for (const int shift : {0, 10, 20}) data.add(surface, shift, 0);
  validation.add(texture(2, 100), 0, 0);
  const fs::path seen = validation.add(surface, 30, 25);
  fs::copy_file(seen, validation.path() / "images" / "copy.jpg");
  std::ostringstream notes;
  const TrainingData marked = read_training_data(
      {{"data", data.path().string()}, {"validation", validation.path().string()}}, 1, notes, nullptr);
  CHECK(marked.split["validation_overlaps"] == 2);
  INFO(notes.str());
  CHECK(contains(notes.str(), "warning: 2 of 3 images of " + validation.path().string() + " show surfaces"));
  CHECK(contains(notes.str(), "copy.jpg, shifted by"));
}

TEST_CASE("a set with parts of its own trains on the first and validates and tests on the others") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder train(folder, "set/train"), valid(folder, "set/valid"), test(folder, "set/test");
  for (std::uint64_t seed = 1; seed <= 4; ++seed) train.add(texture(seed, 100), 0, 0);
  valid.add(texture(5, 100), 0, 0);
  test.add(texture(6, 100), 0, 0);
  const std::string set = (folder.path() / "set").string();
  std::ostringstream notes;
  const TrainingData data = read_training_data({{"data", set}}, 1, notes, nullptr);
  INFO(notes.str());
  CHECK(data.training.examples.size() == 4);
  CHECK(data.validation.examples.size() == 1);
  REQUIRE(data.test);
  CHECK(data.test->examples.size() == 1);
  CHECK(data.split["may_leak"] == false);
  CHECK(data.split["validation_part"] == "validation");
  CHECK(data.split["test_checked"] == true);
  CHECK(contains(notes.str(), "data: " + set + " is "));
  CHECK(contains(notes.str(), "parts: train (4), validation (1), test (1)"));
  // The part that a command looks at is the part that training used.
  const Dataset part = read_part(set, {}, PartChoice{std::nullopt, "validation"}, 1, notes, nullptr);
  CHECK(part.examples.at(0).image == data.validation.examples.at(0).image);

  CHECK(contains(
      message_of(
          ExitCode::kBadSpec,
          [&] {
            read_training_data({{"data", set}, {"split", {{"fractions", {0.5, 0.5}}}}}, 1, notes, nullptr);
          }),
      "has a part of its own to validate on, which the fractions of `split` contradict"));
  const TrainingData grouped =
      read_training_data({{"data", set}, {"split", {{"grouping", "content"}}}}, 1, notes, nullptr);
  CHECK(grouped.validation.examples.size() == 1);
  CHECK(contains(grouped.warnings.at(0), "so trainer.split is not used"));
  LabelledFolder own(folder, "own");
  own.add(texture(7, 100), 0, 0);
  own.add(texture(8, 100), 0, 0);
  const TrainingData other =
      read_training_data({{"data", set}, {"validation", own.path().string()}}, 1, notes, nullptr);
  CHECK(other.training.examples.size() == 4);
  CHECK(other.validation.examples.size() == 2);

  // A test part that nobody asked for does not stop the training where it leaks.
  test.add(texture(1, 100), 0, 0);
  notes.str("");
  const TrainingData leaking = read_training_data({{"data", set}}, 1, notes, nullptr);
  CHECK(leaking.split["test_checked"] == false);
  CHECK(contains(notes.str(),
                 "warning: 1 of 2 images of " + set + " (test) show surfaces of its training part"));
}

TEST_CASE("classes without a training or a validation object are named") {
  const OwnCache cache;
  const TestFolder folder;
  const std::string pit = "0 .5 .5 .2 .2\n";
  LabelledFolder data(folder, "data");
  folder.write("data/classes.txt", "pit\nscale\nnever\n");
  for (std::uint64_t seed = 1; seed <= 9; ++seed) data.add(texture(seed, 100), 0, 0);
  data.add(texture(10, 100), 0, 0, "1 .5 .5 .2 .2\n");
  std::ostringstream notes;
  const TrainingData cut = read_training_data({{"data", data.path().string()}}, 1, notes, nullptr);
  INFO(notes.str());
  REQUIRE(cut.warnings.size() == 2);
  CHECK(contains(cut.warnings[0], "no training image shows never"));
  CHECK(contains(cut.warnings[1], "no validation image shows scale, so the metrics leave that out"));
  CHECK(contains(notes.str(), "warning: no validation image shows scale"));
}

TEST_CASE(
    "Objects that take the class of their image do so in training and validation, with a count, not in a "
    "test") {
  const TestFolder folder;
  Json coco{{"categories", {{{"id", 1}, {"name", "pit"}}, {{"id", 2}, {"name", "scratch"}}}},
            {"images", Json::array()},
            {"annotations", Json::array()}};
  for (int i = 1; i <= 12; ++i) {
    const std::string file = (i % 2 == 0 ? "pit_" : "scratch_") + std::to_string(i) + ".png";
    folder.write_image("data/" + file, 40, 20 + i);
    coco["images"].push_back({{"id", i}, {"file_name", file}, {"width", 40}, {"height", 20 + i}});
    for (const int category : {1, 2})
      coco["annotations"].push_back({{"id", 2 * i + category},
                                     {"image_id", i},
                                     {"category_id", category},
                                     {"bbox", {2 * category, 2, 20, 10}},
                                     {"area", 200},
                                     {"iscrowd", 0}});
  }
  folder.write("data/annotations.json", coco.dump());
  std::ostringstream notes;
  Json trainer{{"data", (folder.path() / "data").string()},
               {"labels", "image"},
               {"split", {{"fractions", {0.5, 0.25, 0.25}}}}};
  const TrainingData data = read_training_data(trainer, 1, notes, nullptr);
  REQUIRE(data.test);
  const auto mislabelled = [](const Dataset& part) {
    std::size_t count = 0;
    for (const Example& example : part.examples)
      for (const GroundTruth& object : example.objects)
        if (object.category != (example.name.starts_with("pit") ? 1 : 2)) ++count;
    return count;
  };
  CHECK(mislabelled(data.training) == 0);
  CHECK(mislabelled(data.validation) == 0);
  CHECK(mislabelled(*data.test) == data.test->examples.size());
  const std::string images = std::to_string(data.training.examples.size());
  const std::string told = "trainer.labels is \"image\": " + images + " of " +
                           std::to_string(2 * data.training.examples.size()) + " objects, in " + images +
                           " of " + images + " images, are of another class than their image says, and are " +
                           "taken for that in training";
  CHECK(contains(notes.str(), "warning: " + told));
  CHECK(std::find(data.warnings.begin(), data.warnings.end(), told) != data.warnings.end());
  CHECK(contains(notes.str(), "taken for that in validation"));
  trainer["labels"] = "folder";
  CHECK(contains(message_of(ExitCode::kBadSpec, [&] { read_training_data(trainer, 1, notes, nullptr); }),
                 "trainer.labels is \"folder\""));
}

TEST_CASE("crowd regions alone are nothing to train on or to validate on") {
  const OwnCache cache;
  const TestFolder folder;
  const fs::path objects = write_coco(folder, "objects", {false, true}),
                 crowds = write_coco(folder, "crowds", {true, true, true});
  std::ostringstream notes;
  const auto refusal = [&](const fs::path& data, const fs::path& validation) {
    return message_of(ExitCode::kBadData, [&] {
      read_training_data({{"data", data.string()}, {"validation", validation.string()}}, 1, notes, nullptr);
    });
  };
  CHECK(contains(refusal(objects, crowds), "the validation images have no objects"));
  CHECK(contains(refusal(crowds, objects), "the training images have no objects"));
  CHECK(refusal(objects, objects).empty());
}

TEST_CASE("checkpoints belong to the images and weights that a training began with") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  for (std::uint64_t seed = 1; seed <= 6; ++seed) data.add(texture(seed, 100), 0, 0);
  const auto task_with = [&](const Json& more) {
    loop::TrialFile trial;
    trial.parameters = Json::object();
    trial.trainer = {
        {"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"data", data.path().string()}};
    trial.trainer.update(more);
    std::ostringstream notes;
    return std::make_unique<DetectionTraining>(trial, loop::set_up_compute(1, false), notes);
  };
  const auto cut = [&](unsigned seed, const char* grouping) {
    return task_with({{"split", {{"fractions", {0.5, 0.5}}, {"seed", seed}, {"grouping", grouping}}}})
        ->fingerprint();
  };
  CHECK(cut(1U, "image") == cut(1U, "image"));
  CHECK(cut(1U, "image") != cut(2U, "image"));
  CHECK(cut(1U, "image") != cut(1U, "content"));
  const auto plain = task_with(Json::object());
  const fs::path weights =
      folder.write("start.safetensors", weights::encode_safetensors(weights::state_dict(plain->model())));
  CHECK(task_with({{"weights", weights.string()}})->fingerprint() != plain->fingerprint());
}
