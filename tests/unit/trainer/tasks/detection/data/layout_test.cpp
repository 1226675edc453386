// The forms in which data sets come, told by what lies there.
#include <sys/stat.h>

#include "trainer/tasks/detection/data/reader.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using namespace tune::trainer::tests;
using tune::ExitCode;
namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

namespace {

const std::string kPitXml =
    "<annotation><object><name>pit</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>12</ymax>"
    "</bndbox></object></annotation>";
const std::string kPitTxt = "0 .5 .5 .2 .2\n";

std::string coco_of(const Texts& names, int first_id = 1) {
  std::string images, boxes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string id = std::to_string(static_cast<int>(i) + first_id), comma = i == 0 ? "" : ", ";
    images += comma + "{\"id\": " + id + ", \"file_name\": \"" + names[i] + "\"}";
    boxes +=
        comma + "{\"id\": " + id + ", \"image_id\": " + id + R"(, "category_id": 1, "bbox": [2, 3, 18, 9]})";
  }
  return R"({"info": {}, "images": [)" + images +
         R"(], "categories": [{"id": 1, "name": "pit"}], "annotations": [)" + boxes + "]}";
}

Texts names_of(const Dataset& dataset) {
  Texts names;
  for (const Example& example : dataset.examples) names.push_back(example.name);
  return names;
}

Dataset part_of(const fs::path& data, const std::string& part, const ReadOptions& more = {}) {
  ReadOptions options = more;
  options.part = part;
  return read_dataset(data, options);
}

void expect_pits(const Dataset& dataset, const Texts& names, const std::string& form) {
  INFO(dataset.form);
  CHECK(names_of(dataset) == names);
  CHECK(dataset.classes == Texts{"pit"});
  for (const Example& example : dataset.examples) CHECK(example.objects.size() == 1);
  CHECK(contains(dataset.form, form));
}

}  // namespace

TEST_CASE("the folders of PASCAL VOC's archives are read, with its image sets as parts") {
  const TestFolder folder;
  for (const char* stem : {"000001", "000002", "000003", "000004"}) {
    folder.write_image(std::string("VOC/JPEGImages/") + stem + ".jpg", 40, 30);
    folder.write(std::string("VOC/Annotations/") + stem + ".xml", kPitXml);
  }
  const fs::path data = folder.path() / "VOC";
  expect_pits(read_dataset(data), {"000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"},
              "PASCAL VOC: JPEGImages/ with Annotations/");
  folder.write("VOC/ImageSets/Main/trainval.txt", "000001\r\n000003\r\n");
  folder.write("VOC/ImageSets/Main/test.txt", "000002  1\n");
  folder.write("VOC/ImageSets/Main/pit_train.txt", "000001 -1\n");
  CHECK(layout_of(data).parts == Texts{"train", "test"});
  expect_pits(part_of(data, "train"), {"000001.jpg", "000003.jpg"}, "parts: train (2), test (1)");
  const Dataset test = part_of(data, "test");
  expect_pits(test, {"000002.jpg"}, "parts of ImageSets/Main/");
  CHECK(test.examples[0].image_id == 2);  // of the whole set
  CHECK(read_dataset(data).examples.size() == 4);
  expect_pits(read_dataset(data / "ImageSets" / "Main" / "test.txt"), {"000002.jpg"}, "PASCAL VOC");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { part_of(data, "validation"); }),
                 "has no part of its own for validation"));
  folder.write("VOC/ImageSets/Main/test.txt", "000009\n");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(data); }),
                 "test.txt, line 1: there is no image 000009"));
}

TEST_CASE("images in folders of their classes find annotations without such folders") {
  const TestFolder folder;
  folder.write_image("IMAGES/pits/p_1.jpg", 40, 30);
  folder.write_image("IMAGES/scale/s_1.jpg", 40, 30);
  for (const char* stem : {"p_1", "s_1"}) folder.write(std::string("Annotations/") + stem + ".XML", kPitXml);
  expect_pits(read_dataset(folder.path()), {"pits/p_1.jpg", "scale/s_1.jpg"}, "IMAGES/ with Annotations/");
}

TEST_CASE("images below the folder of others are read where annotations are left for them") {
  const TestFolder folder;
  const auto add = [&](const std::string& name) { folder.write_image(name + ".png", 40, 30); };
  for (const char* stem : {"x", "sub/x", "sub/y", "sub/deep/z", "thumbnails/x"})
    add(std::string("images/") + stem);
  for (const char* stem : {"x", "sub/x", "sub/y", "deep/z"})
    folder.write(std::string("annotations/") + stem + ".xml", kPitXml);
  folder.write("images/sub/notes.txt", "");
  folder.write_image("images/vis/free.png", 40, 30);
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(folder.path()); }),
                 "deep/z.xml: its image z.jpg (or .png, .bmp, .tif, .webp) does not exist"));
  fs::rename(folder.path() / "annotations" / "deep", folder.path() / "annotations" / "sub" / "deep");
  expect_pits(read_dataset(folder.path()), {"sub/deep/z.png", "sub/x.png", "sub/y.png", "x.png"},
              "PASCAL VOC: images/ with annotations/");
  // An annotation without folders, too; two images of it are told.
  folder.write("annotations/free.xml", kPitXml);
  CHECK(read_dataset(folder.path()).examples.size() == 5);
  add("images/sub/free");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(folder.path()); }),
                 "share the annotation free.xml"));
}

TEST_CASE("labels below the folder of others are read like their images") {
  const TestFolder folder;
  folder.write("classes.txt", "pit\n");
  for (const char* stem : {"a", "sub/b"}) {
    folder.write_image(std::string("images/") + stem + ".png", 40, 30);
    folder.write(std::string("labels/") + stem + ".txt", kPitTxt);
  }
  expect_pits(read_dataset(folder.path()), {"a.png", "sub/b.png"}, "YOLO labels: images/ with labels/");
}

TEST_CASE("annotations beside their images are read, VOC's and YOLO's") {
  const TestFolder folder;
  for (const char* stem : {"a", "b"}) {
    folder.write_image(std::string("voc/") + stem + ".png", 40, 30);
    folder.write(std::string("voc/") + stem + ".xml", kPitXml);
    folder.write_image(std::string("yolo/") + stem + ".png", 40, 30);
    folder.write(std::string("yolo/") + stem + ".txt", kPitTxt);
    folder.write_image(std::string("cvat/obj_train_data/") + stem + ".png", 40, 30);
    folder.write(std::string("cvat/obj_train_data/") + stem + ".txt", kPitTxt);
  }
  folder.write("yolo/classes.txt", "pit\n");
  folder.write("cvat/obj.names", "pit\n");
  folder.write("cvat/train.txt", "data/obj_train_data/a.png\ndata/obj_train_data/b.png\n");
  expect_pits(read_dataset(folder.path() / "voc"), {"a.png", "b.png"}, "PASCAL VOC: beside the images");
  expect_pits(read_dataset(folder.path() / "yolo"), {"a.png", "b.png"}, "YOLO labels: beside the images");
  expect_pits(read_dataset(folder.path() / "cvat"), {"a.png", "b.png"}, "obj_train_data/");
  expect_pits(read_dataset(folder.path() / "cvat" / "train.txt"), {"a.png", "b.png"}, "a list of images");
}

TEST_CASE("what a data.yaml names as train, val and test are the parts of a set") {
  for (const char* form : {"images/PART", "PART/images"}) {
    const TestFolder folder;
    const auto place = [&](const std::string& part, const std::string& file) {
      std::string path(form);
      path.replace(path.find("PART"), 4, part);
      if (file.ends_with(".txt")) path.replace(path.find("images"), 6, "labels");
      return path + "/" + file;
    };
    for (const auto& [part, stem] :
         {std::pair{"train", "a"}, {"train", "b"}, {"valid", "c"}, {"test", "d"}}) {
      folder.write_image(place(part, std::string(stem) + ".png"), 40, 30);
      folder.write(place(part, std::string(stem) + ".txt"), kPitTxt);
    }
    const bool roboflow = std::string(form) == "PART/images";
    folder.write("data.yaml", roboflow
                                  ? "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
                                    "nc: 1\nnames: ['pit']\n"
                                  : "path: ../somewhere/else\ntrain: images\\train\nval: [images/valid]\n"
                                    "test: images/test # optional\nnames:\n  0: pit\n");
    const Texts all = roboflow ? Texts{"test/images/d.png", "train/images/a.png", "train/images/b.png",
                                       "valid/images/c.png"}
                               : Texts{"test/d.png", "train/a.png", "train/b.png", "valid/c.png"};
    for (const fs::path& data : {folder.path(), folder.path() / "data.yaml"}) {
      CAPTURE(data.string());
      CHECK(layout_of(data).parts == Texts{"train", "validation", "test"});
      expect_pits(read_dataset(data), all, "parts: train (2), validation (1), test (1)");
      expect_pits(part_of(data, "validation"), {all[3]}, "data.yaml");
      CHECK(part_of(data, "validation").examples[0].image_id == 4);
    }
    // The same folders without what the file says, and one part by its own path.
    folder.write("data.yaml", "names: [pit]\n");
    CHECK(layout_of(folder.path()).parts == Texts{"train", "validation", "test"});
    expect_pits(read_dataset(folder.path()), all, "validation (1)");
    expect_pits(read_dataset(folder.path() / (roboflow ? "valid" : "images/valid")), {"c.png"},
                "YOLO labels");
  }
}

TEST_CASE("a `path` of data.yaml that is not followed, or leads elsewhere, is said") {
  const TestFolder folder;
  folder.write_image("here/images/train/a.png", 40, 30);
  folder.write("here/labels/train/a.txt", kPitTxt);
  folder.write_image("there/images/train/b.png", 40, 30);
  folder.write("there/labels/train/b.txt", kPitTxt);
  const auto warning_of = [&](const std::string& head) {
    folder.write("here/data.yaml", head + "train: images/train\nnames: [pit]\n");
    const Texts warnings = layout_of(folder.path() / "here").warnings;
    return warnings.empty() ? "" : warnings.front();
  };
  CHECK(warning_of("").empty());
  CHECK(warning_of("path: .\n").empty());
  CHECK(contains(warning_of("path: /data/steel\n"),
                 "its `path` /data/steel does not exist, so its images are looked for beside the file"));
  CHECK(contains(warning_of("path: ../there\n"),
                 "its `path` leads out of its folder, so the images are those in " +
                     (folder.path() / "there").string()));
  CHECK(layout_of(folder.path() / "here").images.front().image.filename() == "b.png");
  fs::create_directories(folder.path() / "here" / "empty");
  folder.write("here/data.yaml", "train: empty\nnames: [pit]\n");
  CHECK(contains(layout_of(folder.path() / "here").warnings.front(),
                 "its training images empty hold no picture, so it gives the class names alone"));
  folder.write("here/data.yaml", "train:\nval: images/train\nnames: [pit]\n");
  CHECK(contains(layout_of(folder.path() / "here").warnings.front(),
                 "its `train` names no training images, so it gives the class names alone"));
}

TEST_CASE("lists of images in a data.yaml are read, and a training part that comes twice is one") {
  const TestFolder folder;
  for (const char* stem : {"a", "b", "c"}) {
    folder.write_image(std::string("images/") + stem + ".png", 40, 30);
    folder.write(std::string("labels/") + stem + ".txt", kPitTxt);
  }
  folder.write("train.txt", "./images/a.png\nimages\\b.png\n\n");
  folder.write("val.txt", "images/c.png\n");
  folder.write("data.yaml", "train: train.txt\nval: val.txt\nnames: [pit]\n");
  expect_pits(part_of(folder.path(), "train"), {"a.png", "b.png"}, "parts: train (2), validation (1)");
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              folder.write("val.txt", "images/c.png\nimages/gone.png\n");
                              read_dataset(folder.path());
                            }),
                 "val.txt, line 2: there is no image images/gone.png"));
  folder.write("data.yaml", "train: images\nval: images\nnames: [pit]\n");
  const Dataset same = read_dataset(folder.path());
  CHECK(layout_of(folder.path()).parts.empty());
  REQUIRE(same.warnings.size() == 1);
  CHECK(contains(same.warnings[0], "the validation part of the set is its training part again"));
}

TEST_CASE("COCO's own folders, CVAT's and others find their images") {
  for (const char* place : {"train2017/", "images/train2017/", "images/"}) {
    const TestFolder folder;
    folder.write_image(std::string(place) + "1.jpg", 40, 30);
    const auto file = folder.write("annotations/instances_train2017.json", coco_of({"1.jpg"}));
    folder.write("annotations/captions_train2017.json",
                 R"({"images": [], "annotations": [{"image_id": 1}]})");
    for (const fs::path& data : {file, folder.path()}) {
      CAPTURE(place, data.string());
      expect_pits(read_dataset(data), {"1.jpg"}, "COCO: ");
    }
    folder.write_image("val2017/2.jpg", 40, 30);
    folder.write("annotations/instances_val2017.json", coco_of({"2.jpg"}, 9));
    CHECK(layout_of(folder.path()).parts == Texts{"train", "validation"});
    expect_pits(part_of(folder.path(), "validation"), {"2.jpg"}, "parts: train, validation");
    CHECK(read_dataset(folder.path()).examples.size() == 2);
  }
  const TestFolder folder;
  folder.write_image("cvat/images/1.jpg", 40, 30);
  folder.write("cvat/annotations/instances_default.json", coco_of({"1.jpg"}));
  expect_pits(read_dataset(folder.path() / "cvat"), {"1.jpg"}, "annotations/instances_default.json");
  folder.write_image("studio/images/0af-1.jpg", 40, 30);
  folder.write("studio/result.json", coco_of({"images\\\\0af-1.jpg"}));
  expect_pits(read_dataset(folder.path() / "studio"), {"images/0af-1.jpg"}, "result.json");
  folder.write("own/boxes.json", "\xef\xbb\xbf" + coco_of({"1.jpg"}));
  folder.write_image("own/1.jpg", 40, 30);
  expect_pits(read_dataset(folder.path() / "own"), {"1.jpg"}, "boxes.json");
}

TEST_CASE("images that lie elsewhere are found where one says") {
  const TestFolder folder;
  folder.write_image("pictures/1.jpg", 40, 30);
  const auto file = folder.write("labels/boxes.json", coco_of({"C:\\\\old\\\\1.jpg"}));
  ReadOptions options;
  const std::string refusal = message_of(ExitCode::kBadData, [&] { read_dataset(file, options); });
  CHECK(contains(refusal, "the image C:/old/1.jpg lies not in " + (folder.path() / "labels").string()));
  CHECK(contains(refusal, "--images"));
  options.images = folder.path() / "pictures";
  const Dataset dataset = read_dataset(file, options);
  CHECK(dataset.examples.at(0).image == folder.path() / "pictures" / "1.jpg");
  CHECK(contains(dataset.warnings.at(0), "1 image was found by the last part of its file_name alone"));
  folder.write("xml/1.xml", kPitXml);
  expect_pits(read_dataset(folder.path() / "xml", options), {"1.jpg"}, "PASCAL VOC");
  options.images = folder.path() / "nowhere";
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(file, options); }),
                 "nowhere does not exist"));
}

TEST_CASE("Roboflow's folders of COCO files are parts, whose ids may collide") {
  const TestFolder folder;
  for (const char* part : {"train", "valid"}) {
    folder.write_image(std::string(part) + "/" + part + ".jpg", 40, 30);
    folder.write(std::string(part) + "/_annotations.coco.json", coco_of({std::string(part) + ".jpg"}, 0));
  }
  CHECK(layout_of(folder.path()).parts == Texts{"train", "validation"});
  expect_pits(part_of(folder.path(), "train"), {"train.jpg"},
              "train/ (COCO: _annotations.coco.json), valid/");
  CHECK(part_of(folder.path(), "validation").examples[0].image_id == 0);
  CHECK(contains(message_of(ExitCode::kUsage, [&] { read_dataset(folder.path()); }),
                 "number their images alike"));
  std::vector<data::DataProblem> problems;
  ReadOptions audit;
  audit.problems = &problems;
  const Dataset whole = read_dataset(folder.path(), audit);
  CHECK(names_of(whole) == Texts{"train.jpg", "valid.jpg"});
  CHECK(whole.examples[1].image_id == 2);
  CHECK(whole.parts_of_images.at(2) == std::set<std::string>{"validation"});
}

TEST_CASE("several COCO files whose names say nothing are refused with what would help") {
  const TestFolder folder;
  folder.write_image("images/1.jpg", 40, 30);
  folder.write("annotations/first.json", coco_of({"1.jpg"}));
  folder.write("annotations/second.json", coco_of({"1.jpg"}));
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(folder.path()); }), "first.json"));
}

TEST_CASE("a folder above a data set is told where it lies") {
  const TestFolder folder;
  folder.write_image("unzipped/images/1.jpg", 40, 30);
  folder.write("unzipped/annotations/1.xml", kPitXml);
  try {
    read_dataset(folder.path());
    FAIL("it was read");
  } catch (const tune::Error& error) {
    CHECK(contains(error.hint(), "A data set lies in " + (folder.path() / "unzipped").string()));
  }
}

TEST_CASE("what macOS and Windows leave beside images and annotations is nobody's data") {
  const TestFolder folder;
  folder.write_image("images/a.JPG", 40, 30);
  folder.write("annotations/a.xml", kPitXml);
  for (const char* name : {"images/._a.jpg", "images/.DS_Store", "images/Thumbs.db", "images/desktop.ini",
                           "annotations/._a.xml", "annotations/.DS_Store"})
    folder.write(name, "left by a desktop");
  const Dataset dataset = read_dataset(folder.path());
  expect_pits(dataset, {"a.JPG"}, "images/ with annotations/");
  REQUIRE(dataset.warnings.size() == 1);
  CHECK(contains(dataset.warnings[0], "1 image is of another format than its name says: "));
  CHECK(contains(dataset.warnings[0], "a.JPG, a PNG"));
}

TEST_CASE("one image is a data set to predict on, and a folder's images keep their folders in their names") {
  const TestFolder folder;
  const auto one = folder.write_image("deep/a/1.png", 40, 30);
  folder.write_image("deep/b/1.png", 40, 30);
  const ReadOptions predict{Labels::kIgnored, {"pit"}};
  const Dataset single = read_dataset(one, predict), deep = read_dataset(folder.path() / "deep", predict);
  CHECK(names_of(single) == Texts{"1.png"});
  CHECK(single.examples[0].image_id == 1);
  CHECK(names_of(deep) == Texts{"a/1.png", "b/1.png"});
  CHECK(deep.form == "images alone");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(one); }),
                 "is one image, without annotations"));
}

TEST_CASE("a FIFO among annotations or images is named and does not block") {
  const TestFolder folder;
  for (const char* stem : {"a", "b"}) folder.write_image(std::string("images/") + stem + ".png", 40, 30);
  folder.write("annotations/a.xml", kPitXml);
  REQUIRE(mkfifo((folder.path() / "annotations" / "b.xml").c_str(), 0600) == 0);
  REQUIRE(mkfifo((folder.path() / "images" / "c.png").c_str(), 0600) == 0);
  folder.write("annotations/c.xml", kPitXml);
  const std::string message = message_of(ExitCode::kBadData, [&] { read_dataset(folder.path()); });
  CHECK(contains(message, "b.xml\": it is a FIFO, not a regular file"));
  CHECK(contains(message, "c.png is not a regular file"));
}
