// What a trial of image classification trains on, validates on and is tested on.
#include <set>
#include <sstream>

#include "trainer/tasks/image_classification/augmentation_hyperparameters.h"
#include "trainer/tasks/image_classification/data/fingerprint.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_classification/training_data.h"
#include "unit/trainer/tasks/image_classification/class_folder_of_photographs.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
namespace ic = tune::trainer::image_classification;
using tune::ExitCode;
using tune::Json;

namespace {

std::set<std::string> image_names(const ic::Dataset& dataset) {
  std::set<std::string> names;
  for (const auto& example : dataset.examples) names.insert(example.name);
  return names;
}

ic::TrainingData classified(const Json& trainer, std::ostream& notes) {
  return ic::read_training_data(trainer, 2, notes, nullptr);
}

}  // namespace

TEST_CASE("classified images are cut with nearly the same share of every class in each part, by the seed") {
  const TestFolder folder;
  ClassFolder set(folder, "set");
  const Surface surface = texture(1, 100);
  for (int i = 0; i < 10; ++i) {
    set.add("pit", surface);
    set.add("dent", surface);
  }
  std::ostringstream notes;
  const auto cut = [&](const Json& split) {
    return classified({{"data", set.path().string()}, {"split", split}}, notes);
  };
  const ic::TrainingData data = cut({{"fractions", {0.6, 0.2, 0.2}}, {"seed", 4U}});
  CHECK(data.training.examples.size() == 12);
  REQUIRE(data.test);
  for (const ic::Dataset* part : {&data.training, &data.validation, &*data.test}) {
    std::size_t pits = 0;
    for (const auto& example : part->examples) pits += example.labels == std::vector<int>{1} ? 1U : 0U;
    CHECK(2 * pits == part->examples.size());
  }
  CHECK(data.split["may_leak"] == true);
  CHECK(contains(notes.str(), "warning: the images are split one by one"));
  CHECK(contains(notes.str(), "a folder for each of 2 classes; 20 images"));
  CHECK(image_names(cut({{"fractions", {0.6, 0.2, 0.2}}, {"seed", 4U}}).training) ==
        image_names(data.training));
  CHECK(image_names(cut({{"seed", 5U}, {"fractions", {0.6, 0.2, 0.2}}}).training) !=
        image_names(data.training));
  CHECK_FALSE(cut({{"fractions", {0.6, 0.2, 0.2}}, {"test", "untouched"}}).test);
  CHECK(data.fingerprint.starts_with("sha256:"));
  // A model may have the classes in another order; the cut is that of training all the same.
  ic::ReadOptions options;
  options.classes = {"other", "pit", "dent"};
  const Json split{{"fractions", {0.6, 0.2, 0.2}}, {"seed", 4U}};
  const ic::DataChoice choice{set.path(), image_sets::PartChoice{split, "validation"}};
  CHECK(image_names(ic::read_chosen(choice, options, notes, nullptr)) == image_names(data.validation));
}

TEST_CASE("images of several labels are refused where no validation image has one") {
  const OwnCache cache;
  const TestFolder folder;
  ClassFolder set(folder, "set");
  std::vector<std::string> names;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) names.push_back(set.add("", texture(seed, 100)).filename());
  const auto table = [&](const std::string& last) {
    return folder.write("set/x.csv", "image,labels,split\n" + names[0] + ",pit|dent,train\n" + names[1] +
                                         ",dent,train\n" + names[2] + ",,val\n" + names[3] + "," + last +
                                         ",val\n");
  };
  std::ostringstream notes;
  const ic::TrainingData data = classified({{"data", table("pit;dent").string()}}, notes);
  CHECK(data.training.multi_label);
  CHECK(data.validation.multi_label);
  CHECK(data.validation.examples[0].labels.empty());
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              classified({{"data", table("").string()}}, notes);
                            }),
                 "no validation image has a label"));
}

TEST_CASE("training images of one class are refused, though a file names others") {
  const TestFolder folder;
  ClassFolder set(folder, "set");
  std::string list;
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    list += std::to_string(seed) + "\t0\t" + set.add("", texture(seed, 100)).filename().string() + "\n";
  folder.write("set/synset.txt", "pit\ndent\n");
  std::ostringstream notes;
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              classified({{"data", folder.write("set/x.lst", list).string()}}, notes);
                            }),
                 "x.lst: all training images show pit, so there is nothing to tell apart"));
}

TEST_CASE("a cut by content keeps crops of one surface together, and evaluation finds the same part again") {
  const OwnCache cache;
  const TestFolder folder;
  ClassFolder set(folder, "set");
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    for (const char* name : {"pit", "dent"}) {
      const Surface surface = texture(seed + (name[0] == 'p' ? 10 : 20), 150);
      set.add(name, surface);
      set.add(name, surface, 31, 20);
    }
  std::ostringstream notes;
  const Json split{{"fractions", {0.5, 0.5}}, {"grouping", "content"}};
  const ic::TrainingData data = classified({{"data", set.path().string()}, {"split", split}}, notes);
  CHECK(data.split["may_leak"] == false);
  CHECK(data.split["groups"] == 8);
  CHECK(data.training.examples.size() == 8);
  const ic::DataChoice choice{set.path(), image_sets::PartChoice{split, "validation"}};
  ic::ReadOptions options;
  options.classes = {"other", "pit", "dent"};
  const ic::Dataset part = ic::read_chosen(choice, options, notes, nullptr);
  CHECK(image_names(part) == image_names(data.validation));
  CHECK(part.classes == options.classes);
}

TEST_CASE("parts of the set's own are taken, a leak between them is told, and one into `test` is refused") {
  const OwnCache cache;
  const TestFolder folder;
  ClassFolder set(folder, "set"), test(folder, "test_set");
  const Surface seen = texture(1, 150);
  for (std::uint64_t seed = 2; seed <= 4; ++seed) {
    set.add("train/pit", texture(seed, 100));
    set.add("train/dent", texture(seed + 10, 100));
  }
  set.add("train/pit", seen);
  set.add("val/pit", seen, 30, 25);
  set.add("val/dent", texture(30, 100));
  std::ostringstream notes;
  const ic::TrainingData data = classified({{"data", set.path().string()}}, notes);
  CHECK(data.training.examples.size() == 7);
  CHECK(data.validation.examples.size() == 2);
  CHECK(data.split["may_leak"] == true);
  CHECK(data.split["validation_overlaps"] == 1);
  CHECK(contains(notes.str(), "warning: 1 of 2 images of " + set.path().string() +
                                  " (validation) show surfaces of " + set.path().string() +
                                  ", so the metrics may be too good:"));
  CHECK(contains(
      message_of(ExitCode::kBadSpec,
                 [&] {
                   classified({{"data", set.path().string()}, {"split", {{"fractions", {0.5, 0.5}}}}}, notes);
                 }),
      "trainer.split: "));

  test.add("pit", seen, 20, 30);
  test.add("dent", texture(40, 100));
  CHECK(contains(
      message_of(ExitCode::kBadData,
                 [&] {
                   classified({{"data", set.path().string()}, {"test", test.path().string()}}, notes);
                 }),
      "1 of 2 images of trainer.test " + test.path().string() + " show surfaces of trainer.data"));
}

TEST_CASE(
    "a class of the test part that training lacks is an error, and of a part that lacks one a warning") {
  const OwnCache cache;
  const TestFolder folder;
  ClassFolder set(folder, "set"), validation(folder, "validation");
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    set.add("train/pit", texture(seed, 100));
    set.add("train/dent", texture(seed + 10, 100));
  }
  set.add("test/edge", texture(20, 100));
  std::ostringstream notes;
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              classified({{"data", set.path().string()}}, notes);
                            }),
                 "the class \"edge\" is that of 1 image"));
  validation.add("pit", texture(30, 100));
  const ic::TrainingData data = classified(
      {{"data", (set.path() / "train").string()}, {"validation", validation.path().string()}}, notes);
  REQUIRE_FALSE(data.warnings.empty());
  CHECK(contains(data.warnings.back(), "no validation image shows dent"));
}

TEST_CASE("trainer.classes_from takes classes from the names of files, and refuses other words") {
  const TestFolder folder;
  ClassFolder set(folder, "set");
  for (int i = 0; i < 4; ++i)
    for (const char* name : {"pit", "dent"}) {
      const fs::path file =
          set.add("", texture(static_cast<std::uint64_t>(i) + (name[0] == 'p' ? 1 : 9), 100));
      fs::rename(file, set.path() / (std::string(name) + "_" + std::to_string(i) + ".jpg"));
    }
  std::ostringstream notes;
  std::set<std::string> keys;
  for (const auto& key : ic::data_keys()) keys.insert(key["name"].get<std::string>());
  CHECK(keys == std::set<std::string>{"classes_from", "data", "images", "split", "test", "validation"});
  const Json trainer{{"data", set.path().string()}, {"classes_from", "file_name"}};
  CHECK(classified(trainer, notes).training.classes == std::vector<std::string>{"dent", "pit"});
  CHECK(contains(message_of(ExitCode::kBadSpec,
                            [&] {
                              classified({{"data", set.path().string()}, {"classes_from", "names"}}, notes);
                            }),
                 "trainer.classes_from is \"names\""));
}

TEST_CASE("a fingerprint follows labels and content, not the form of the set") {
  const TestFolder folder;
  ClassFolder set(folder, "set");
  const std::string pit = set.add("pit", texture(1, 100)).filename(),
                    dent = set.add("dent", texture(2, 100)).filename();
  for (const auto& [place, name] : {std::pair{"pit", pit}, {"dent", dent}}) {
    fs::create_directories(folder.path() / "flat");
    fs::copy_file(set.path() / place / name, folder.path() / "flat" / name);
  }
  const auto print = [&](const fs::path& data) {
    ic::Dataset dataset = ic::read_dataset(data);
    std::sort(dataset.examples.begin(), dataset.examples.end(),
              [](const auto& a, const auto& b) { return a.image.filename() < b.image.filename(); });
    return ic::fingerprint(dataset);
  };
  const std::string folders = print(set.path());
  CHECK(print(folder.write("flat/x.csv", pit + ",pit\n" + dent + ",dent\n")) == folders);
  CHECK(print(folder.write("flat/x.csv", pit + ",dent\n" + dent + ",pit\n")) != folders);
}

TEST_CASE("every way to vary images is a hyperparameter with its default, and a trial's value arrives") {
  const auto rows = ic::augmentation_hyperparameters();
  const auto usual = ic::augmentation_of(loop::Hyperparameters(rows, Json::object()));
  CHECK(usual.random_crop);
  CHECK(usual.min_crop_area == 0.35);
  CHECK(usual.horizontal_flip);
  CHECK_FALSE(usual.vertical_flip);
  CHECK(usual.randaugment_magnitude == 9);
  const Json given{{"random_crop", false},       {"min_crop_area", 0.5},   {"horizontal_flip", false},
                   {"vertical_flip", true},      {"rotation", 15},         {"color_jitter", 0.3},
                   {"hue_jitter", 0.1},          {"random_erasing", 0.25}, {"randaugment", 2},
                   {"randaugment_magnitude", 12}};
  CHECK(given.size() == rows.size());
  const auto other = ic::augmentation_of(loop::Hyperparameters(rows, given));
  CHECK_FALSE(other.random_crop);
  CHECK(other.min_crop_area == 0.5);
  CHECK_FALSE(other.horizontal_flip);
  CHECK(other.vertical_flip);
  CHECK(other.rotation == 15);
  CHECK(other.color_jitter == 0.3);
  CHECK(other.hue_jitter == 0.1);
  CHECK(other.random_erasing == 0.25);
  CHECK(other.randaugment == 2);
  CHECK(other.randaugment_magnitude == 12);
}
