#include "trainer/tasks/detection/data/reader.h"

#include <ctime>

#include "trainer/data/folder_listing.h"
#include "unit/trainer/images/picture_files.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tests::contains;
using tests::message_of;
using tests::six_pixels_tiff;
using tests::TestFolder;
using tune::ExitCode;

namespace {

std::string object(const std::string& name, const std::string& box, const std::string& difficult = "0") {
  std::string text = "<object><name>" + name + "</name><difficult>" + difficult + "</difficult><bndbox>";
  std::size_t from = 0;
  for (const char* key : {"xmin", "ymin", "xmax", "ymax"}) {
    const std::size_t to = std::min(box.find(' ', from), box.size());
    text += std::string("<") + key + ">" + box.substr(from, to - from) + "</" + key + ">";
    from = to + 1;
  }
  return text + "</bndbox></object>";
}

std::string voc(const std::string& objects, int width = 40, int height = 30) {
  return "<annotation><size><width>" + std::to_string(width) + "</width><height>" + std::to_string(height) +
         "</height></size>" + objects + "</annotation>";
}

void write_example(const TestFolder& folder, const std::string& stem, const std::string& objects) {
  folder.write_image("images/" + stem + ".png", 40, 30);
  folder.write("annotations/" + stem + ".xml", voc(objects));
}

std::string refusal(const std::filesystem::path& data, const ReadOptions& options = {}) {
  return message_of(ExitCode::kBadData, [&] { read_dataset(data, options); });
}

const std::string kCoco = R"({"images": [{"id": 7, "file_name": "b.png", "width": 40, "height": 30},
    {"id": 3, "file_name": "a.png"}],
  "categories": [{"id": 5, "name": "scratch"}, {"id": 0, "name": "pit"}],
  "annotations": [{"id": 1, "image_id": 7, "category_id": 5, "bbox": [2, 3, 10, 4.5], "area": 30, "iscrowd": 1},
    {"id": 2, "image_id": 3, "category_id": 0, "bbox": [0, 0, 40, 30]}]})";

}  // namespace

TEST_CASE("VOC coordinates are taken as they are, and classes are sorted by name") {
  const TestFolder folder;
  write_example(folder, "b", object("scratch", "1 2 40 30") + object("pit", "\t3.5 4 7 9\n", "1"));
  write_example(folder, "a", "");
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.classes == std::vector<std::string>{"pit", "scratch"});
  CHECK(dataset.category_ids == std::vector<std::int64_t>{1, 2});
  CHECK(dataset.labelled);
  CHECK(dataset.warnings.empty());
  REQUIRE(dataset.examples.size() == 2);
  CHECK(dataset.examples[0].image.filename() == "a.png");
  CHECK(dataset.examples[0].objects.empty());
  const Example& b = dataset.examples[1];
  CHECK(b.image_id == 2);
  CHECK(b.width == 40);
  CHECK(b.height == 30);
  REQUIRE(b.objects.size() == 2);
  CHECK(b.objects[0].category == 2);
  CHECK(b.objects[0].x1 == 1);
  CHECK(b.objects[0].y2 == 30);
  CHECK(b.objects[0].area == 39 * 28);
  CHECK(b.objects[1].category == 1);
  CHECK(b.objects[1].x1 == 3.5f);
  CHECK(b.objects[1].difficult);
}

TEST_CASE("a box one pixel outside is clipped with a warning that names it") {
  const TestFolder folder;
  write_example(folder, "a", object("pit", "-1 0 41 30"));
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.examples[0].objects[0].x1 == 0);
  CHECK(dataset.examples[0].objects[0].x2 == 40);
  CHECK(dataset.examples[0].objects[0].area == 1200);
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "a.xml, object 1 (pit)"));
  CHECK(contains(dataset.warnings[0], "(-1, 0, 41, 30)"));
}

TEST_CASE("everything wrong with a VOC folder is told at once, each with file and object") {
  const TestFolder folder;
  write_example(folder, "outside", object("pit", "1 1 5 5") + object("pit", "1 1 42 5"));
  write_example(folder, "backwards", object("pit", "9 1 5 9"));
  write_example(folder, "text", object("pit", "one 1 5 9"));
  write_example(folder, "nan", object("pit", "nan 1 5 9"));
  write_example(folder, "nameless", object("", "1 1 5 9"));
  folder.write_image("images/bare.png", 40, 30);
  folder.write_image("images/size.png", 40, 30);
  folder.write("annotations/size.xml", voc("", 30, 40));
  folder.write_image("images/cut.png", 40, 30);
  folder.write("annotations/cut.xml", voc("").substr(0, 40));
  folder.write("annotations/orphan.xml", voc(""));
  folder.write("images/broken.jpg", "\xff\xd8\xff");
  folder.write("annotations/broken.xml", voc(""));
  folder.write_image("images/twin.png", 40, 30);
  folder.write("images/twin.jpg", "");
  folder.write("annotations/twin.xml", voc(""));

  const std::string message = refusal(folder.path());
  INFO(message);
  CHECK(contains(message,
                 "outside.xml, object 2 (pit): the box (1, 1, 42, 5) lies outside its image of 40x30"));
  CHECK(contains(message, "backwards.xml, object 1 (pit): the box (9, 1, 5, 9) has a negative width"));
  CHECK(contains(message, "text.xml, object 1 (pit): <xmin> is missing or no number"));
  CHECK(contains(message, "nan.xml, object 1 (pit)"));
  CHECK(contains(message, "nameless.xml, object 1: the object has no class name"));
  CHECK(contains(message, "bare.png has no annotation"));
  CHECK(contains(message, "the annotation says 30x40 pixels, the image has 40x30"));
  CHECK(contains(message, "cut.xml is not well-formed XML"));
  CHECK(contains(message, "orphan.xml: its image"));
  CHECK(contains(message, "broken.jpg is a truncated or damaged JPEG"));
  CHECK(contains(message, "share the annotation twin.xml"));
}

TEST_CASE("the first twenty of many problems are shown and the others counted") {
  const TestFolder folder;
  for (int i = 0; i < 23; ++i) write_example(folder, "a" + std::to_string(i), object("pit", "6 1 5 9"));
  const std::string message = refusal(folder.path());
  CHECK(contains(message, "23 problems"));
  CHECK(contains(message, "and 3 more"));
}

TEST_CASE("with given classes their order stays, and another class is an error that names them") {
  const TestFolder folder;
  write_example(folder, "a", object("pit", "1 1 5 5"));
  const Dataset dataset = read_dataset(folder.path(), {Labels::kRequired, {"scratch", "pit"}});
  CHECK(dataset.classes == std::vector<std::string>{"scratch", "pit"});
  CHECK(dataset.examples[0].objects[0].category == 2);
  const std::string message = refusal(folder.path(), {Labels::kRequired, {"scratch", "scale"}});
  CHECK(contains(message, "the class \"pit\" is none of the labels: scratch, scale"));
}

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

TEST_CASE("boxes without area are left out and counted, and the set is read") {
  const TestFolder folder;
  write_example(folder, "a",
                object("pit", "5 1 5 9") + object("pit", "1 1 5 9") + object("pit", "40 1 41 9"));
  write_example(folder, "b", object("pit", "2 7 9 7"));
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.examples[0].objects.size() == 1);
  CHECK(dataset.examples[1].objects.empty());
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "3 boxes without area were left out, the first being "));
  CHECK(contains(dataset.warnings[0], "a.xml, object 1 (pit): the box (5, 1, 5, 9) has no area"));
  std::vector<data::DataProblem> found;
  read_dataset(folder.path(), {Labels::kRequired, {}, &found});
  REQUIRE(found.size() == 3);
  CHECK(found[0].left_out);
  CHECK(contains(found[1].text, "(40, 1, 41, 9) has no area inside its image of 40x30 pixels"));
}

TEST_CASE("an image's EXIF orientation turns its boxes' frame, and boxes that say otherwise are refused") {
  const TestFolder folder;
  folder.write("images/a.tif", six_pixels_tiff(6));
  folder.write("annotations/a.xml", voc(object("pit", "0 0 1 3"), 2, 3));
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.examples[0].width == 2);
  CHECK(dataset.examples[0].height == 3);
  CHECK(dataset.examples[0].objects.at(0).y2 == 3);
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "1 image is turned upright as its EXIF orientation says"));
  folder.write("annotations/a.xml", voc(object("pit", "0 0 3 1"), 3, 2));
  const std::string message = refusal(folder.path());
  CHECK(contains(message, "the annotation says 3x2 pixels, the image has 2x3 once it is turned as its EXIF"));
  CHECK(contains(message, "remove the EXIF orientation"));
}

TEST_CASE("suspicious annotations are named: the same object twice, another <filename>") {
  const TestFolder folder;
  write_example(folder, "a",
                object("pit", "1 1 5 5") + object("pit", "1 1 5 5") + object("scale", "1 1 5 5"));
  folder.write_image("images/b.png", 40, 30);
  folder.write("annotations/b.xml", "<annotation><filename>sub\\c.jpg</filename></annotation>");
  folder.write_image("images/d.png", 40, 30);
  folder.write("annotations/d.xml", "<annotation><filename> old/d.jpg </filename></annotation>");
  const Dataset dataset = read_dataset(folder.path());
  REQUIRE(dataset.warnings.size() == 2);
  CHECK(contains(dataset.warnings[0], "1 annotation names another file in <filename>: "));
  CHECK(contains(dataset.warnings[0], "b.xml: it says c.jpg, and is read as that of b.png"));
  CHECK(contains(dataset.warnings[1],
                 "1 object is annotated twice, with the same class and box: (1, 1, 5, 5) in"));
}

TEST_CASE("<difficult> is read as people write it, and what is not understood is named") {
  const TestFolder folder;
  write_example(folder, "a",
                object("pit", "1 1 5 5", " 1 ") + object("pit", "1 1 6 6", "true") +
                    object("pit", "1 1 7 7", "1.0") + object("pit", "1 1 8 8", "\n0\n"));
  const Dataset dataset = read_dataset(folder.path());
  std::vector<bool> difficult;
  for (const GroundTruth& each : dataset.examples[0].objects) difficult.push_back(each.difficult);
  CHECK(difficult == std::vector<bool>{true, true, true, false});
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "1 flag is written as a word, and taken as it reads: "));
  CHECK(contains(dataset.warnings[0], "a.xml, object 2 (pit): <difficult> is \"true\""));
  write_example(folder, "a", object("pit", "1 1 5 5", "yes") + object("pit", "1 1 6 6", "False"));
  CHECK(contains(read_dataset(folder.path()).warnings.at(0),
                 "2 flags are written as words, and taken as they read, the first being "));
  write_example(folder, "a", object("pit", "1 1 5 5", "maybe"));
  CHECK(contains(refusal(folder.path()), "a.xml, object 1 (pit): <difficult> is \"maybe\", neither 0 nor 1"));
}

TEST_CASE("a box that lies elsewhere than in an <object> of the <annotation> is refused, not passed over") {
  const TestFolder folder;
  const std::string one = object("pit", "1 1 5 5");
  const auto refused = [&](const std::string& objects) {
    write_example(folder, "a", objects);
    return refusal(folder.path());
  };
  CHECK(contains(
      refused("<objects>" + one + one + "</objects>"),
      "a.xml: a <object> lies in <objects>; write each object as <object> directly in <annotation>"));
  CHECK(
      contains(refused(one + "<more><objects>" + one + "</objects></more>"), "a <object> lies in <objects>"));
  CHECK(contains(refused("<Object><name>pit</name><bndbox/></Object>"), "a <bndbox> lies in <Object>"));
  CHECK(contains(refused("<bndbox/>"), "a <bndbox> lies in <annotation>"));
  CHECK(contains(refused("<object><name>pit</name>" + one + "</object>"),
                 "a <object> lies in <object>; write one object after the other"));
  // The heads and hands of VOC's persons.
  std::string person = one;
  person.insert(person.rfind("</object>"), "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>");
  write_example(folder, "a", person);
  CHECK(read_dataset(folder.path()).examples[0].objects.size() == 1);
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

TEST_CASE("an entity that is not resolved is no part of a class name") {
  const TestFolder folder;
  write_example(folder, "a", object("steel &amp; iron &#228;<!-- &y; -->", "1 2 4 5"));
  CHECK(read_dataset(folder.path()).classes == std::vector<std::string>{"steel & iron \xc3\xa4"});
  write_example(folder, "b", object("pit &amp;x;", "1 2 4 5") + object("R&D", "1 2 4 5"));
  CHECK(read_dataset(folder.path()).classes ==
        std::vector<std::string>{"R&D", "pit &x;", "steel & iron \xc3\xa4"});
  write_example(folder, "c", object("pit", "1 2 4 5") + object("rust &x;", "1 2 4 5"));
  CHECK(contains(refusal(folder.path()),
                 "c.xml, object 2: its name holds &x;, an entity that is not resolved"));
  folder.write("annotations/c.xml",
               "<!DOCTYPE annotation [<!ENTITY x \"pit\">]>" + voc(object("&x;", "1 2 4 5")));
  CHECK(contains(refusal(folder.path()), "c.xml, object 1: its name holds &x;"));
}

TEST_CASE("a text of an annotation is read whole, and what is no text is refused") {
  const TestFolder folder;
  for (const char* name : {"p<!-- x -->it", "p<![CDATA[i]]>t", "p<?x y?>it", "<![CDATA[pit]]>", "p&#105;t"}) {
    CAPTURE(name);
    write_example(folder, "a", object(name, "1<!--was-->0 2 14 5"));
    const Dataset dataset = read_dataset(folder.path());
    CHECK(dataset.classes == std::vector<std::string>{"pit"});
    CHECK(dataset.examples[0].objects.at(0).x1 == 10);
  }
  write_example(folder, "a", object("old<!-- --> <!-- -->pit", "1 2 4 5"));
  CHECK(read_dataset(folder.path()).classes == std::vector<std::string>{"old pit"});
  const auto refusal_of = [&](const std::string& objects) {
    folder.write("annotations/a.xml", voc(objects));
    return refusal(folder.path());
  };
  CHECK(contains(refusal_of(object("p<b>i</b>t", "1 2 4 5")),
                 "a.xml, object 1: its name holds the element <b>; write its text alone"));
  CHECK(contains(refusal_of(object("pit", "<i>1</i> 2 4 5")),
                 "a.xml, object 1 (pit): its xmin holds the element <i>"));
  for (const char* code : {"0", "x0", "xD800", "x110000", "4294967401"})
    CHECK(contains(refusal_of(object("p&#" + std::string(code) + ";t", "1 2 4 5")),
                   "its name holds &#" + std::string(code) + ";, which is no character"));
  CHECK(contains(refusal_of(object("pit", "1&#0;0 2 14 5")), "its xmin holds &#0;, which is no character"));
  for (const std::string& rest : {std::string("zz"), std::string("<b/>")}) {
    folder.write("annotations/a.xml", voc("") + "\n" + rest);
    CHECK(contains(refusal(folder.path()), "a.xml is not well-formed XML: outside <annotation> stands "));
  }
  folder.write("annotations/a.xml", voc("") + std::string("\0zz", 3));
  CHECK(contains(refusal(folder.path()), "a NUL"));
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
