// What holds of every form of a data set.
#include "trainer/data/folder_listing.h"
#include "unit/trainer/tasks/detection/data/reader_fixture.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using namespace tune::trainer::tests;
using tune::ExitCode;

TEST_CASE("sizes that are none are said once, and what an annotation has twice is refused") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  const auto file = folder.write(
      "a.json",
      R"({"images": [{"id": 1, "file_name": "a.png", "width": -40, "height": "tall"}, {"id": 2, "file_name": "a.png",
                      "width": 0, "height": null}, {"id": 3, "file_name": "a.png", "width": 40.5}],
    "categories": [{"id": 1, "name": "pit"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]})");
  const Dataset coco = read_dataset(file);
  REQUIRE_FALSE(coco.warnings.empty());
  CHECK(contains(coco.warnings[0], "4 widths and heights of images are none"));
  CHECK(contains(coco.warnings[0], "images[0]: \"width\" is -40"));

  const TestFolder other;
  write_example(other, "a", object("pit", "1 2 4 5"));
  std::string text = voc(object("pit", "1 2 4 5"));
  text.replace(text.find(">40<"), 4, ">40px<");
  other.write("annotations/a.xml", text);
  const Dataset dataset = read_dataset(other.path());
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "1 width or height in <size> is none"));
  CHECK(contains(dataset.warnings[0], "a.xml: <width> is \"40px\""));
  for (const int none : {0, -40}) {
    other.write("annotations/a.xml", voc(object("pit", "1 2 4 5"), none));
    CHECK(contains(read_dataset(other.path()).warnings.at(0),
                   "a.xml: <width> is \"" + std::to_string(none) + "\""));
  }

  other.write("annotations/a.xml", voc(object("pit</name><name>dent", "1 2 4 5") +
                                       object("pit", "1 2 4 5</ymax></bndbox><bndbox><ymax>5")));
  CHECK(contains(refusal(other.path()), "a.xml, object 1 (pit): it has several <name>"));
  CHECK(contains(refusal(other.path()), "a.xml, object 2 (pit): it has several <bndbox>"));
  other.write("annotations/a.xml", voc(object("pit", "1 2 4 5</ymax><ymax>9")));
  CHECK(contains(refusal(other.path()), "a.xml, object 1 (pit): it has several <ymax>; a box has one"));
  for (const char* twice : {"<size></size>", "<filename>a.png</filename><filename>b.png</filename>"}) {
    other.write("annotations/a.xml", voc(twice));
    CHECK(contains(refusal(other.path()), "a.xml: it has several <"));
  }
  other.write("annotations/a.xml", voc("") + voc(""));
  CHECK(contains(refusal(other.path()), "a.xml has several <annotation>"));
}

TEST_CASE("files that are no data set are refused with what they are") {
  const TestFolder folder;
  CHECK(contains(refusal(folder.path() / "none"), "does not exist"));
  CHECK(contains(refusal(folder.path()), "holds no data set with annotations"));
  CHECK(contains(refusal(folder.write("cut.json", "{\"images\": [")), "is not JSON"));
  CHECK(contains(refusal(folder.write("list.json", "[]")), "is not a COCO file"));
  CHECK(contains(refusal(folder.write("plain.json", R"({"images": [], "annotations": []})")),
                 "\"categories\""));
  CHECK(contains(refusal(folder.write("none.json", R"({"images": [], "categories": []})")),
                 "no list \"annotations\""));
  CHECK(
      contains(refusal(folder.write("empty.json", R"({"images": [], "annotations": [], "categories": []})")),
               "holds no image"));
  const TestFolder blank;
  write_example(blank, "a", "");
  CHECK(contains(refusal(blank.path()), "no object in any of its 1 images"));
}

TEST_CASE("to predict, images alone are enough, and annotations are not read") {
  const TestFolder folder;
  folder.write_image("b.PNG", 40, 30);
  folder.write_image("a.png", 20, 10);
  folder.write("notes.txt", "not an image");
  const Dataset dataset = read_dataset(folder.path(), {Labels::kIgnored, {"pit", "scratch"}});
  CHECK_FALSE(dataset.labelled);
  CHECK(dataset.classes.size() == 2);
  REQUIRE(dataset.examples.size() == 2);
  CHECK(dataset.examples[0].image.filename() == "a.png");
  CHECK(dataset.examples[0].width == 20);
  CHECK(dataset.examples[1].image_id == 2);

  const TestFolder labelled;
  labelled.write_image("images/a.png", 40, 30);
  labelled.write("annotations/a.xml", "no XML at all");
  CHECK(read_dataset(labelled.path(), {Labels::kIgnored, {"pit"}}).examples.size() == 1);

  const auto coco = folder.write("test.json", R"({"images": [{"id": 70, "file_name": "a.png"}],
      "categories": [{"id": 4, "name": "scratch"}]})");
  const Dataset from_coco = read_dataset(coco, {Labels::kIgnored, {"pit", "scratch"}});
  CHECK(from_coco.examples.at(0).image_id == 70);
  CHECK(from_coco.category_ids == std::vector<std::int64_t>{-1, 4});
}

TEST_CASE("the real steel images read without a problem") {
  const char* folder = std::getenv("TUNE_NEU_DET");
  if (!folder) {
    WARN("skipped: TUNE_NEU_DET names no folder");
    return;
  }
  const Dataset dataset = read_dataset(folder);
  CHECK(dataset.classes.size() == 6);
  CHECK(dataset.examples.size() == 1440);
  std::size_t boxes = 0;
  for (const Example& example : dataset.examples) boxes += example.objects.size();
  CHECK(boxes == 3377);
}

TEST_CASE("folders that cannot be read are bad data, not a failure of the program") {
  const TestFolder folder;
  const std::filesystem::path too_long = folder.path() / std::string(300, 'x');
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(too_long); }), "cannot be read"));
  CHECK(contains(message_of(ExitCode::kBadData, [&] { data::files_in(folder.path() / "gone"); }),
                 "gone cannot be read"));
}
