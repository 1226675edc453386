// COCO files as people have them.
#include <ctime>

#include "unit/trainer/tasks/detection/data/reader_fixture.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using namespace tune::trainer::tests;
using tune::ExitCode;

TEST_CASE("a COCO file keeps its ids, areas and crowds, wherever its images lie") {
  for (const char* place : {"", "images/", "annotations/../images/"}) {
    const TestFolder folder;
    const bool nested = contains(place, "annotations");
    std::filesystem::create_directories(folder.path() / "annotations");
    folder.write_image(std::string(place) + "a.png", 40, 30);
    folder.write_image(std::string(place) + "b.png", 40, 30);
    const Dataset dataset =
        read_dataset(folder.write(nested ? "annotations/train.json" : "train.json", kCoco));
    CHECK(dataset.classes == std::vector<std::string>{"pit", "scratch"});
    CHECK(dataset.category_ids == std::vector<std::int64_t>{0, 5});
    REQUIRE(dataset.examples.size() == 2);
    CHECK(dataset.examples[0].image_id == 3);
    CHECK(dataset.examples[0].width == 40);
    CHECK(dataset.examples[0].objects.at(0).category == 1);
    CHECK(dataset.examples[0].objects.at(0).area == 1200);
    const GroundTruth& scratch = dataset.examples[1].objects.at(0);
    CHECK(scratch.category == 2);
    CHECK(scratch.x2 == 12);
    CHECK(scratch.y2 == 7.5f);
    CHECK(scratch.area == 30);
    CHECK(scratch.crowd);
  }
}

TEST_CASE("a COCO file's categories match given classes by name, and classes it lacks have the id -1") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  folder.write_image("b.png", 40, 30);
  const auto file = folder.write("train.json", kCoco);
  const Dataset dataset = read_dataset(file, {Labels::kRequired, {"dent", "scratch", "pit"}});
  CHECK(dataset.category_ids == std::vector<std::int64_t>{-1, 5, 0});
  CHECK(dataset.examples[0].objects[0].category == 3);
  CHECK(contains(refusal(file, {Labels::kRequired, {"pit"}}),
                 "the class \"scratch\" is none of the labels: pit"));
}

TEST_CASE("everything wrong with a COCO file is told at once, each with its entry") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  const std::string message = refusal(folder.write("bad.json", R"({
    "images": [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "gone.png"},
               {"id": 3, "file_name": "a.png", "width": 41, "height": 30}, {"file_name": "a.png"}, {"id": 9}, 5],
    "categories": [{"id": 1, "name": "pit"}, {"id": 1, "name": "dent"}, {"id": 2, "name": "pit"}, {"id": 3}],
    "annotations": [{"id": 1, "image_id": 8, "category_id": 1, "bbox": [1, 1, 2, 2]},
                    {"id": 2, "image_id": 1, "category_id": 8, "bbox": [1, 1, 2, 2]},
                    {"id": 3, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2]},
                    {"id": 4, "image_id": 1, "category_id": 1, "bbox": [30, 1, 20, 2]},
                    {"id": 5, "image_id": 1, "category_id": 1, "bbox": [30, 1, -5, 2]}, 7]})"));
  INFO(message);
  CHECK(contains(message, "images[1] (a.png): the image id 1 appears twice"));
  CHECK(contains(message, "images[2]: the image gone.png lies not in " + folder.path().string()));
  CHECK(contains(message, "the annotation says 41x30 pixels, the image has 40x30"));
  CHECK(contains(message, "images[4]: \"id\" is missing or no integer"));
  CHECK(contains(message, "images[5]: \"file_name\" is missing"));
  CHECK(contains(message, "images[6]: \"id\""));
  CHECK(contains(message, "categories[1]: the id 1 is taken by \"pit\""));
  CHECK(contains(message, "categories[2]: the name \"pit\" appears twice"));
  CHECK(contains(message, "categories[3]: \"name\" is missing"));
  CHECK(contains(message, "annotations[0] (id 1): no image has the id 8"));
  CHECK(contains(message, "annotations[1] (id 2): no category has the id 8"));
  CHECK(contains(message, "annotations[2] (id 3): \"bbox\" is not [x, y, width, height] but [1,1,2]"));
  CHECK(contains(message, "annotations[3] (id 4) in " + (folder.path() / "a.png").string() +
                              ": the box (30, 1, 50, 3)"));
  CHECK(contains(message, "annotations[4] (id 5): the width of \"bbox\" [30,1,-5,2] is negative"));
  CHECK(contains(message, "annotations[5]: \"image_id\""));
}

TEST_CASE("numbers of a COCO file are read as texts and floats too, which is said once") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  const auto file = folder.write(
      "a.json", R"({"images": [{"id": "7", "file_name": " a.png ", "width": "40", "height": 30.0}],
    "categories": [{"id": 1.0, "name": " pit ", "supercategory": null}],
    "annotations": [{"id": null, "image_id": 7.0, "category_id": "1", "bbox": ["1", 2, 3.5, 4], "area": null,
                     "iscrowd": null},
                    {"id": 3, "image_id": 7, "category_id": 1, "bbox": [5, 2, 3, 4], "iscrowd": "1"},
                    {"id": 3, "image_id": 7, "category_id": 1, "bbox": [6, 2, 3, 4], "iscrowd": true}]})");
  const Dataset dataset = read_dataset(file);
  CHECK(dataset.classes == std::vector<std::string>{"pit"});
  CHECK(dataset.examples[0].image_id == 7);
  REQUIRE(dataset.examples[0].objects.size() == 3);
  CHECK(dataset.examples[0].objects[0].area == 14);
  CHECK_FALSE(dataset.examples[0].objects[0].crowd);
  CHECK(dataset.examples[0].objects[1].crowd);
  CHECK(dataset.examples[0].objects[2].crowd);
  REQUIRE(dataset.warnings.size() == 2);
  CHECK(contains(dataset.warnings[0],
                 "5 numbers are written as texts, and taken as the numbers, the first being"));
  CHECK(contains(dataset.warnings[0], "images[0]: \"id\" is \"7\""));
  CHECK(contains(dataset.warnings[1], "annotations[2]: the id 3 appears twice"));
}

TEST_CASE("a key that is there twice in a COCO file, and NaN, are refused with their line and a cure") {
  const TestFolder folder;
  const auto error_of = [&](const std::string& annotation) {
    std::string text = kCoco;
    const std::string first = R"("bbox": [2, 3, 10, 4.5])";
    text.replace(text.find(first), first.size(), annotation);
    try {
      read_dataset(folder.write("annotations.json", text));
    } catch (const tune::Error& error) {
      CHECK(error.code() == ExitCode::kBadData);
      return std::string(error.what()) + " | " + error.hint();
    }
    return std::string();
  };
  const std::string twice = error_of(R"("bbox": [2, 3, 10, 4.5], "bbox": [2, 3, 1, 1])");
  CHECK(contains(twice,
                 "annotations.json, line 4, column 87: the key \"bbox\" is there twice | "
                 "it is first in line 4; keep one of the two."));
  const std::string nan = error_of(R"("bbox": [NaN, 3, 10, 4.5])");
  CHECK(contains(nan,
                 "annotations.json is not JSON: line 4, column 71: \"NaN\" is not a JSON value | JSON has "
                 "no NaN, which Python's json.dump writes"));
  CHECK(contains(error_of(R"("bbox": )" + std::string(300'000, '[') + std::string(300'000, ']')),
                 "nested deeper than 100 levels"));
  // Outlines are nobody's, and a key of theirs neither.
  folder.write_image("a.png", 40, 30);
  folder.write_image("b.png", 40, 30);
  CHECK(
      error_of(R"("segmentation": {"size": [1], "counts": [[1, 2], "x"]}, "bbox": [2, 3, 10, 4.5])").empty());
}

TEST_CASE("areas that are none, flags in words and paths that leave the set are said once") {
  const TestFolder above;
  above.write_image("far.png", 40, 30);
  above.write_image("set/a.png", 40, 30);
  above.write_image("set/images/b.png", 40, 30);
  const auto file =
      above.write("set/annotations.json",
                  R"({"images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "../far.png"},
                     {"id": 3, "file_name": "images/../images/b.png"}, {"id": 4, "file_name": "ABSOLUTE"}],
    "categories": [{"id": 1, "name": "pit"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": -4},
                    {"id": 2, "image_id": 1, "category_id": 1, "bbox": [5, 2, 3, 4], "area": "large"},
                    {"id": 3, "image_id": 1, "category_id": 1, "bbox": [6, 2, 3, 4], "iscrowd": "yes"}]})");
  std::string text = tune::read_file(file);
  text.replace(text.find("ABSOLUTE"), 8, (above.path() / "far.png").string());
  above.write("set/annotations.json", text);
  const Dataset dataset = read_dataset(file);
  REQUIRE(dataset.examples[0].objects.size() == 3);
  CHECK(dataset.examples[0].objects[0].area == 12);
  CHECK(dataset.examples[0].objects[1].area == 12);
  CHECK(dataset.examples[0].objects[2].crowd);
  REQUIRE(dataset.warnings.size() == 3);
  CHECK(contains(dataset.warnings[0], "1 flag is written as a text"));
  CHECK(contains(dataset.warnings[0], "annotations[2] (id 3): \"iscrowd\" is \"yes\""));
  CHECK(contains(dataset.warnings[1], "2 \"area\"s are no areas"));
  CHECK(contains(dataset.warnings[1], "annotations[0] (id 1): it is -4"));
  CHECK(contains(dataset.warnings[2], "2 images lie outside the set"));
  CHECK(contains(dataset.warnings[2], "images[1]: ../far.png as " + (above.path() / "far.png").string()));
}

TEST_CASE("a file_name with a NUL is refused, as another file would be read") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  CHECK(contains(refusal(folder.write("a.json", R"({"images": [{"id": 1, "file_name": "a.png\u0000.jpg"}],
    "categories": [{"id": 1, "name": "pit"}], "annotations": []})")),
                 "images[0]: \"file_name\" is \"a.png\\u0000.jpg\", and no file's name holds a NUL"));
}

// Looked at again for each, ten times as many take a hundred times as long.
TEST_CASE("a COCO file of many annotations is read in a time that grows with their number alone") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  // Seconds of this process on the CPU, which other processes do not add to.
  const auto seconds_for = [&](int annotations) {
    std::string text =
        R"({"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "pit"}],
    "annotations": [)";
    for (int i = 1; i <= annotations; ++i)
      text += std::string(i == 1 ? "" : ",") +
              R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "id": )" + std::to_string(i) + "}";
    const std::filesystem::path file = folder.write("a.json", text + "]}");
    const std::clock_t begun = std::clock();
    const Dataset dataset = read_dataset(file);
    CHECK(dataset.examples[0].objects.size() == static_cast<std::size_t>(annotations));
    return static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  };
  const double few = seconds_for(20'000), many = seconds_for(200'000);
  CAPTURE(few, many);
  CHECK(many < 40 * few);
}

TEST_CASE("ids beyond 2^53 are kept, and those beyond 2^63 refused") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  const auto with_id = [&](const std::string& id) {
    return folder.write("a.json", R"({"images": [{"id": )" + id +
                                      R"(, "file_name": "a.png"}], "categories": [{"id": 1,
      "name": "pit"}], "annotations": [{"image_id": )" +
                                      id + R"(, "category_id": 1, "bbox": [1, 1, 2, 2]}]})");
  };
  CHECK(read_dataset(with_id("9007199254740993")).examples[0].image_id == 9007199254740993);
  CHECK(contains(refusal(with_id("9223372036854775808")),
                 "images[0]: \"id\" is missing or no integer: it is 9223372036854775808, beyond 2^63 - 1"));
}

TEST_CASE("a category that only groups others is no class, and a class without boxes stays one") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  const auto read = [&](const std::string& categories) {
    return read_dataset(folder.write(
        "a.json",
        R"({"images": [{"id": 1, "file_name": "a.png"}], "categories": [)" + categories +
            R"(], "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 1, 2, 2]}]})"));
  };
  const std::string pit = R"({"id": 2, "name": "pit", "supercategory": "defects"})";
  const Dataset plain = read(R"({"id": 0, "name": "defects", "supercategory": "none"}, )" + pit);
  CHECK(plain.classes == std::vector<std::string>{"pit"});
  REQUIRE(plain.warnings.size() == 1);
  CHECK(contains(plain.warnings[0], "categories[0]: the category \"defects\" groups others and has no box"));
  const Dataset alike = read(R"({"id": 0, "name": "pit", "supercategory": "none"},
                                {"id": 2, "name": "pit", "supercategory": "pit"})");
  CHECK(alike.classes == std::vector<std::string>{"pit"});
  CHECK(alike.category_ids == std::vector<std::int64_t>{2});
  CHECK(read(R"({"id": 0, "name": "scale", "supercategory": "none"}, )" + pit).classes.size() == 2);
  CHECK(read(R"({"id": 1, "name": "scale", "supercategory": "scale"}, )" + pit).classes.size() == 2);
}
