// A folder for each class, in all the ways that people arrange them.
#include "unit/trainer/tasks/image_classification/data/labelled_images.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using namespace tune::trainer::tests;
using tune::ExitCode;
using Texts = std::vector<std::string>;

TEST_CASE("a folder for each class gives classes in the order of names, and images below them") {
  const TestFolder folder;
  ImageFolder set(folder);
  set.add("scratch/b.png");
  set.add("pit/a.png");
  set.add("pit/deep/er/c.png");
  set.add(".hidden/d.png");
  set.add("pit/.e.png");
  const Dataset dataset = read_dataset(set.path());
  CHECK(dataset.classes == Texts{"pit", "scratch"});
  CHECK(labelled(dataset) == Texts{"pit/a.png=pit", "pit/deep/er/c.png=pit", "scratch/b.png=scratch"});
  CHECK(dataset.form == "a folder for each of 2 classes");
  CHECK_FALSE(dataset.multi_label);
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "only one image to learn from shows scratch"));
  CHECK(recognised(set.path(), dataset) ==
        "data: " + set.path().string() + " is a folder for each of 2 classes; 3 images");
}

TEST_CASE("train, val and test in any case are parts, whose classes are those of training") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"Train/pit/a.png", "Train/pit/b.png", "Train/scratch/a.png", "Train/scratch/b.png",
                           "VALIDATION/pit/c.png", "test/scratch/d.png"})
    set.add(name);
  CHECK(parts_of_set(set.path(), {}) == Texts{"train", "validation", "test"});
  const Dataset whole = read_dataset(set.path());
  CHECK(whole.form == "a folder for each of 2 classes; parts: train (4), validation (1), test (1)");
  CHECK(whole.examples.size() == 6);
  ReadOptions options;
  options.part = "validation";
  const Dataset part = read_dataset(set.path(), options);
  CHECK(labelled(part) == Texts{"VALIDATION/pit/c.png=pit"});
  CHECK(part.classes == Texts{"pit", "scratch"});
  CHECK(part.examples[0].part == "validation");

  set.add("test/dent/e.png");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(set.path()); }),
                 "the class \"dent\" is that of 1 image, " + (set.path() / "test/dent/e.png").string() +
                     ", but no image of the part to train on shows it"));
}

TEST_CASE("a class may be called train, and a lone part is the whole set") {
  const TestFolder folder;
  ImageFolder vehicles(folder, "vehicles"), lone(folder, "lone");
  for (const char* name : {"train/a.png", "train/b.png", "plane/a.png", "plane/b.png"}) vehicles.add(name);
  CHECK(read_dataset(vehicles.path()).classes == Texts{"plane", "train"});
  CHECK(parts_of_set(vehicles.path(), {}).empty());
  for (const char* name : {"train/pit/a.png", "train/scratch/a.png"}) lone.add(name);
  CHECK(read_dataset(lone.path()).classes == Texts{"pit", "scratch"});
  CHECK(parts_of_set(lone.path(), {}).empty());
}

TEST_CASE("what is no image, lies in no class or is an empty class is said once a kind") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"pit/a.png", "pit/b.png", "dent/a.png", "dent/b.png", "loose.png"}) set.add(name);
  set.write("pit/Thumbs.db", "x");
  set.write("readme.md", "x");
  set.write("labels.csv", "path,label\n");
  std::filesystem::create_directories(set.path() / "empty");
  std::string all;
  for (const std::string& warning : read_dataset(set.path()).warnings) all += warning + "\n";
  CHECK(contains(all, "1 image lies in no folder of a class and is passed over: " +
                          (set.path() / "loose.png").string()));
  CHECK(contains(all, "2 files are no images and are passed over, the first being "));
  CHECK(contains(all, "1 folder holds no image, and is no class: " + (set.path() / "empty").string()));
  CHECK(contains(all, "so labels.csv is not read"));
}

TEST_CASE("classes are taken from the names of files only when that is asked for") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"rolled-in_scale_1.png", "rolled-in_scale_27.png", "pit_2.png", "pit_3.png"})
    set.add(name);
  const std::string refusal = message_of(ExitCode::kBadData, [&] { read_dataset(set.path()); });
  CHECK(contains(refusal, "holds images, but nothing that says what they show"));
  ReadOptions options;
  options.classes_from = ClassesFrom::kFileName;
  const Dataset dataset = read_dataset(set.path(), options);
  CHECK(dataset.classes == Texts{"pit", "rolled-in_scale"});
  CHECK(dataset.form == "names of files for each of 2 classes");
  set.add("_4.png");
  set.add("other.png");
  const std::string named = message_of(ExitCode::kBadData, [&] { read_dataset(set.path(), options); });
  CHECK(contains(named, "2 problems"));
  CHECK(contains(named, "other.png: the name does not say a class"));

  ImageFolder parts(folder, "parts");
  for (const char* name : {"train/pit_1.png", "train/dent_1.png", "valid/pit_2.png"}) parts.add(name);
  CHECK(parts_of_set(parts.path(), options) == Texts{"train", "validation"});
}

TEST_CASE("to predict a folder of images or one image will do, and labels are not looked at") {
  const TestFolder folder;
  ImageFolder set(folder);
  set.add("b.png");
  const auto image = set.add("any/a.png");
  ReadOptions options;
  options.labels = Labels::kIgnored;
  options.classes = {"pit", "dent"};
  const Dataset dataset = read_dataset(set.path(), options);
  CHECK(labelled(dataset) == Texts{"any/a.png=", "b.png="});
  CHECK_FALSE(dataset.labelled);
  CHECK(dataset.classes == Texts{"pit", "dent"});
  CHECK(read_dataset(image, options).examples.size() == 1);
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(image); }),
                 "is one image, without a class"));
}

TEST_CASE("where labels are not looked at a set has the same parts and names, and no image is passed over") {
  const TestFolder folder;
  ImageFolder vehicles(folder, "vehicles"), set(folder);
  for (const char* name : {"train/a.png", "plane/a.png", "loose.png"}) vehicles.add(name);
  for (const char* name : {"train/pit/a.png", "train/dent/a.png", "val/pit/b.png", "val/dent/c.png"})
    set.add(name);
  ReadOptions options;
  options.labels = Labels::kIgnored;
  CHECK(labelled(read_dataset(vehicles.path(), options)) ==
        Texts{"loose.png=", "plane/a.png=", "train/a.png="});
  CHECK(parts_of_set(vehicles.path(), options).empty());
  CHECK(parts_of_set(set.path(), options) == Texts{"train", "validation"});
  options.part = "validation";
  CHECK(labelled(read_dataset(set.path(), options)) == Texts{"val/dent/c.png=", "val/pit/b.png="});
}

TEST_CASE("classes of a model keep its order, and an image of another is an error that counts") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"pit/a.png", "dent/a.png", "dent/b.png"}) set.add(name);
  ReadOptions options;
  options.classes = {"scratch", "pit", "dent"};
  CHECK(labelled(read_dataset(set.path(), options)) ==
        Texts{"dent/a.png=dent", "dent/b.png=dent", "pit/a.png=pit"});
  options.classes = {"scratch", "pit"};
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(set.path(), options); }),
                 "the class \"dent\" is that of 2 images, the first being " +
                     (set.path() / "dent/a.png").string() + ", but is none of the labels: scratch, pit"));
}

TEST_CASE("one class, no image, no folder and a file that is none of the forms are refused by name") {
  const TestFolder folder;
  ImageFolder set(folder);
  set.add("pit/a.png");
  set.add("pit/b.png");
  const auto refusal = [](const std::filesystem::path& data) {
    return message_of(ExitCode::kBadData, [&] { read_dataset(data); });
  };
  CHECK(contains(refusal(set.path()), "shows one class only, pit"));
  ReadOptions options;
  options.classes = {"pit", "dent"};  // to measure one class is no mistake
  CHECK(read_dataset(set.path(), options).examples.size() == 2);
  std::filesystem::create_directories(folder.path() / "empty");
  CHECK(contains(refusal(folder.path() / "empty"), "empty holds no image"));
  CHECK(contains(refusal(folder.path() / "none"), "does not exist"));
  CHECK(contains(refusal(folder.write("a.json", "{}")), "is neither a folder, a .lst file nor a CSV"));
  options.part = "test";
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(set.path(), options); }),
                 "has no part of its own for test"));
}

TEST_CASE("a link that leads back into the set is refused by name, and other links are followed") {
  const TestFolder folder;
  ImageFolder set(folder), elsewhere(folder, "elsewhere");
  set.add("pit/a.png");
  set.add("dent/b.png");
  elsewhere.add("c.png");
  std::filesystem::create_directory_symlink(elsewhere.path(), set.path() / "pit" / "more");
  CHECK(labelled(read_dataset(set.path())) ==
        Texts{"dent/b.png=dent", "pit/a.png=pit", "pit/more/c.png=pit"});
  const auto refusal = [&](const std::filesystem::path& target, const char* link) {
    const std::filesystem::path at = set.path() / link;
    std::filesystem::create_directory_symlink(target, at);
    const std::string said = message_of(ExitCode::kBadData, [&] { read_dataset(set.path()); });
    std::filesystem::remove(at);
    return said;
  };
  CHECK(contains(refusal(".", "pit/self"), "pit/self leads back to "));
  CHECK(contains(refusal("../..", "dent/up"), "which it lies in"));
  std::filesystem::create_directory_symlink("../dent", set.path() / "pit" / "neighbour");
  CHECK(contains(refusal("../pit", "dent/back"), "leads back to "));
}

TEST_CASE("damaged images and equal files in two classes are refused together, each by name") {
  const TestFolder folder;
  ImageFolder set(folder);
  const auto first = set.add("pit/a.png");
  for (const char* name : {"pit/b.png", "dent/a.png"}) set.add(name);
  std::filesystem::copy_file(first, set.path() / "pit/copy.png");
  CHECK(read_dataset(set.path()).examples.size() == 4);  // of one class they are no contradiction
  std::filesystem::copy_file(first, set.path() / "dent/copy.png");
  set.write("dent/broken.png", tune::read_file(first).substr(0, 20));
  set.write("dent/empty.png", "");
  const std::string message = message_of(ExitCode::kBadData, [&] { read_dataset(set.path()); });
  INFO(message);
  CHECK(contains(message, "4 problems"));
  CHECK(contains(message, "broken.png is a truncated or damaged PNG"));
  CHECK(contains(message, "empty.png is empty"));
  CHECK(contains(message, (set.path() / "dent/copy.png").string() + " and " + first.string() +
                              " are the same file, but one shows dent and the other pit"));
  std::vector<data::DataProblem> problems;
  ReadOptions options;
  options.problems = &problems;
  CHECK(read_dataset(set.path(), options).examples.size() == 7);
  CHECK(problems.size() == 4);
}
