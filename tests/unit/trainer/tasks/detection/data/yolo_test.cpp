// YOLO text labels and the names of their classes.
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/data/yolo_names.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using Names = std::vector<std::string>;

namespace {

std::string refusal(const std::filesystem::path& data, const ReadOptions& options = {}) {
  return message_of(ExitCode::kBadData, [&] { read_dataset(data, options); });
}

std::string yaml_refusal(const std::string& text) {
  return message_of(ExitCode::kBadData, [&] { parse_data_yaml(text, "data.yaml"); });
}

}  // namespace

TEST_CASE("YOLO labels become boxes in pixels, with the classes in the order of their names") {
  const TestFolder folder;
  folder.write("data.yaml", "train: images\nnc: 3\nnames: [scratch, pit, dent]\n");
  folder.write_image("images/a.png", 40, 20);
  folder.write_image("images/b.png", 40, 20);
  folder.write_image("images/c.jpeg", 40, 20);
  folder.write("labels/a.txt", "1 0.5 0.5 0.25 0.5\r\n\n  0\t0.1 0.9 .2 .2 \n");
  folder.write("labels/c.txt", "");
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.classes == Names{"scratch", "pit", "dent"});
  CHECK(dataset.category_ids == std::vector<std::int64_t>{1, 2, 3});
  REQUIRE(dataset.examples.size() == 3);
  const Example& a = dataset.examples[0];
  REQUIRE(a.objects.size() == 2);
  CHECK(a.objects[0].category == 2);
  CHECK(a.objects[0].x1 == 15);
  CHECK(a.objects[0].y1 == 5);
  CHECK(a.objects[0].x2 == 25);
  CHECK(a.objects[0].y2 == 15);
  CHECK(a.objects[0].area == Approx(100));
  CHECK(a.objects[1].category == 1);
  CHECK(a.objects[1].x1 == 0);
  CHECK(a.objects[1].y2 == 20);
  CHECK(dataset.examples[1].objects.empty());
  REQUIRE(dataset.warnings.size() == 2);
  CHECK(contains(dataset.warnings[1], "c.jpeg, a PNG"));
  CHECK(contains(dataset.warnings[0], "1 of 3 images have no file in labels/"));
  CHECK(contains(dataset.warnings[0], "b.png"));
}

TEST_CASE("six decimals that miss the image's edge by a rounding are no warning") {
  const TestFolder folder;
  folder.write("classes.txt", "pit\n");
  folder.write_image("images/a.png", 30, 30);
  folder.write("labels/a.txt", "0 0.833333 0.166667 0.333334 0.333335\n");
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.warnings.empty());
  CHECK(dataset.examples[0].objects[0].x2 == 30);
  CHECK(dataset.examples[0].objects[0].y1 == 0);
}

TEST_CASE("with given classes YOLO's match by name") {
  const TestFolder folder;
  folder.write("classes.txt", "scratch\npit\n\n");
  folder.write_image("images/a.png", 40, 20);
  folder.write("labels/a.txt", "1 0.5 0.5 0.25 0.5\n");
  const Dataset dataset = read_dataset(folder.path(), {Labels::kRequired, {"pit", "dent"}});
  CHECK(dataset.classes == Names{"pit", "dent"});
  CHECK(dataset.examples[0].objects[0].category == 1);
  CHECK(contains(refusal(folder.path(), {Labels::kRequired, {"dent"}}),
                 "a.txt, line 1 (pit): the class \"pit\" is none of the labels: dent"));
}

TEST_CASE("everything wrong with YOLO labels is told at once, each with file and line") {
  const TestFolder folder;
  folder.write("classes.txt", "pit\n");
  folder.write_image("images/a.png", 40, 20);
  folder.write(
      "labels/a.txt",
      "0 .5 .5 .2 .2\n0 .5 .5 .2\n0 .5 .5 .2 .2 .9\n0 .1 .1 .2 .1 .2 .2\n1 .5 .5 .2 .2\n-1 .5 .5 .2 .2\n"
      "0.5 .5 .5 .2 .2\npit .5 .5 .2 .2\n0 .5 .5 two .2\n0 20 10 5 5\n0 .5 .5 0 .2\n0 .9 .5 .4 .2\n"
      "0 nan .5 .2 .2\n");
  folder.write("labels/gone.txt", "");
  folder.write("labels/classes.txt", "ignored here\n");
  const std::string message = refusal(folder.path());
  INFO(message);
  CHECK(contains(message, "12 problems"));
  CHECK(contains(message, "a.txt, line 2 has 4 values; a box is `class cx cy width height`"));
  CHECK(contains(message, "a.txt, line 3 has 6 values;"));
  CHECK(contains(message, "a.txt, line 4 has 7 values, as outlines have"));
  CHECK(contains(message, "a.txt, line 5: the class 1 is none of the 1 in"));
  CHECK(contains(message, "a.txt, line 6: the class -1"));
  CHECK(contains(message, "a.txt, line 7: the class 0.5"));
  CHECK(contains(message, "a.txt, line 8: the class pit"));
  CHECK(contains(message, "a.txt, line 9 (pit): \"two\" is no number"));
  CHECK(contains(message, "a.txt, line 10 (pit): the box is not normalised"));
  CHECK(contains(message, "a.txt, line 12 (pit): the box (28, 8, 44, 12) lies outside its image"));
  CHECK(contains(message, "a.txt, line 13 (pit)"));
  CHECK(contains(message, "gone.txt: its image"));
}

TEST_CASE("an audit gets every problem of a data set and what is left of it") {
  const TestFolder folder;
  folder.write("classes.txt", "pit\n");
  std::string labels = "0 .5 .5 .2 .2\n";
  for (int i = 0; i < 30; ++i) labels += "0 .5 .5 0 .2\n";
  folder.write_image("images/a.png", 40, 20);
  folder.write("labels/a.txt", labels);
  folder.write("images/broken.png", "no PNG");
  std::vector<data::DataProblem> problems;
  const Dataset dataset = read_dataset(folder.path(), {Labels::kRequired, {}, &problems});
  REQUIRE(problems.size() == 31);
  CHECK(problems[0].image.filename() == "broken.png");
  CHECK_FALSE(problems[0].box.has_value());
  CHECK_FALSE(problems[0].left_out);
  CHECK(problems[1].image.filename() == "a.png");
  CHECK(problems[1].left_out);
  REQUIRE(problems[1].box.has_value());
  CHECK(problems[1].box->x1 == 20);
  CHECK(problems[1].box->y2 == 12);
  CHECK(dataset.examples.size() == 2);
  CHECK(dataset.examples[0].objects.size() == 1);
}

TEST_CASE("YOLO labels without names of their classes are refused with the cure") {
  const TestFolder folder;
  folder.write_image("data/images/a.png", 40, 20);
  folder.write("data/labels/a.txt", "0 .5 .5 .2 .2\n");
  CHECK(contains(refusal(folder.path() / "data"), "no names of their classes"));
  folder.write("data.yaml", "names: {0: shared}\n");
  CHECK(read_dataset(folder.path() / "data").classes == Names{"shared"});
  folder.write("data/labels/classes.txt", "nearer\n");
  CHECK(read_dataset(folder.path() / "data" / "").classes == Names{"nearer"});
  folder.write("data/classes.txt", "a\na\n");
  CHECK(contains(refusal(folder.path() / "data"), "classes.txt, line 2: the name \"a\" appears twice"));
  folder.write("data/classes.txt", "a\n\nb\n");
  CHECK(contains(refusal(folder.path() / "data"), "classes.txt, line 3: an empty line"));
}

TEST_CASE("byte order marks, other ends of lines and floats in YOLO's files change nothing") {
  const TestFolder folder;
  folder.write("data.yaml", "\xef\xbb\xbfnames: [pit, scratch]\r\n");
  folder.write("classes.txt", "\xef\xbb\xbfpit\r\nscratch\r\n");
  folder.write_image("images/a.png", 40, 20);
  folder.write("labels/a.txt",
               "\xef\xbb\xbf"
               "0 .5 .5 .2 .2\r1.0 .2 .2 .1 .1\r\n");
  const Dataset dataset = read_dataset(folder.path());
  CHECK(dataset.classes == Names{"pit", "scratch"});
  REQUIRE(dataset.examples[0].objects.size() == 2);
  CHECK(dataset.examples[0].objects[1].category == 2);
  CHECK(dataset.warnings.empty());
}

TEST_CASE("a data.yaml that contradicts classes.txt is refused with both lists") {
  const TestFolder folder;
  folder.write_image("images/a.png", 40, 20);
  folder.write("labels/a.txt", "0 .5 .5 .2 .2\n");
  folder.write("data.yaml", "names: [pit, scratch]\n");
  folder.write("classes.txt", "scratch\npit\n");
  CHECK(contains(refusal(folder.path()), "contradict each other: pit, scratch; scratch, pit"));
  folder.write("classes.txt", "pit\n");
  CHECK(contains(read_dataset(folder.path()).warnings.at(0), "classes.txt pit; the first is used"));
}

TEST_CASE("the names of a data.yaml are read as lists and maps, in lines and in brackets") {
  const Names two{"rolled-in scale", "it's"};
  const auto names = [](const std::string& text) { return parse_data_yaml(text, "").names; };
  CHECK(names("names: ['rolled-in scale', \"it's\"]") == two);
  CHECK(names("# c\nnames: [  # c\n  rolled-in scale, # c\n  'it''s',\n]  # c\nnc: 2 # c\n") == two);
  CHECK(names("names: {1: \"it's\", 0: rolled-in scale}\n") == two);
  CHECK(names("names:\n- rolled-in scale\n- it's\nnc: '2'\n") == two);
  CHECK(names("nc: 2\r\nnames:\r\n  - rolled-in scale\r\n\r\n  # c\r\n  - it's # c\r\n") == two);
  CHECK(names("path: ../x\nnames:  # c\n  1: it's\n  0: rolled-in scale\ndownload: |\n  names: [x]\n") ==
        two);
  CHECK(names("names: [a#b, -c, \"d\\\"e\", 7, no]") == Names{"a#b", "-c", "d\"e", "7", "no"});
  CHECK(names("all: &all [a, b]\nnames: *all\n") == Names{"a", "b"});
}

TEST_CASE("a data.yaml names its parts as texts and lists") {
  const DataYaml yaml =
      parse_data_yaml("path: ../steel\ntrain: images/train\nval: [a, b]\ntest:  # none\nnames: [a]\n", "");
  CHECK(yaml.root == "../steel");
  CHECK(yaml.parts.at("train") == Names{"images/train"});
  CHECK(yaml.parts.at("validation") == Names{"a", "b"});
  CHECK_FALSE(yaml.parts.contains("test"));
  CHECK(parse_data_yaml("path:\ntrain:\nnames: [a]\n", "").parts.at("train").empty());
  CHECK(contains(yaml_refusal("path: [a]\nnames: [a]\n"), "line 1: `path` is no plain text"));
}

TEST_CASE("tags in a data.yaml are refused where they would change what is read") {
  CHECK(contains(yaml_refusal("x: 1\nnames: !!set {a, b}\n"), "line 2: the tag !!set is not read"));
  CHECK(contains(yaml_refusal("names: [!!binary YQ==]\n"), "line 1: the tag !!binary is not read"));
  CHECK(contains(yaml_refusal("names: !classes [a]\n"), "the tag !classes is not read"));
  CHECK(parse_data_yaml("names: !!seq [!!str 3, \"b\", 'c', ! d]\n", "data.yaml").names ==
        Names{"3", "b", "c", "d"});
}

TEST_CASE("a data.yaml that is not understood is refused with its line, never guessed") {
  CHECK(contains(yaml_refusal("train: images\n"), "has no `names`"));
  CHECK(contains(yaml_refusal("- a\n"), "has no `names`"));
  CHECK(contains(yaml_refusal("nc: 3\nnames: [a, b]\n"), "says nc: 3, but names 2 classes"));
  CHECK(contains(yaml_refusal("names: [a, a]\n"), "names the class \"a\" twice"));
  CHECK(contains(yaml_refusal("names: {0: a, 2: b}\n"), "names no class 1"));
  CHECK(contains(yaml_refusal("names:\n  0: a\n  0: b\n"), "line 3: the class 0 is named twice"));
  CHECK(contains(yaml_refusal("x: 1\nnames: other\n"), "line 2: `names` is neither a list nor a map"));
  CHECK(contains(yaml_refusal("x: 1\nnames: *other\n"), "line 2 is no YAML"));
  CHECK(contains(yaml_refusal("names: [[a]]\n"), "a class name is no plain text"));
  CHECK(contains(yaml_refusal("names:\n  - {a: b}\n"), "line 2: a class name is no plain text"));
  CHECK(contains(yaml_refusal("names:\n  - a\n  1: b\n"), "is no YAML"));
  CHECK(contains(yaml_refusal("names:\n  zero: a\n"), "line 2: `zero` is no class number"));
  CHECK(contains(yaml_refusal("names: [a, b\n"), "is no YAML"));
  CHECK(contains(yaml_refusal("names: [a, 'b]\n"), "is no YAML"));
  CHECK(contains(yaml_refusal("names: [a]\nnames: [b]\n"), "line 2: `names` appears twice"));
  CHECK(contains(yaml_refusal("names: []\n"), "names no class"));
  CHECK(contains(yaml_refusal("names: [a]\n---\nnames: [b]\n"), "line 3 begins a second document"));
  CHECK(contains(yaml_refusal(""), "has no `names`"));
  CHECK(parse_data_yaml("---\nnames: [a]\n...\n", "data.yaml").names == Names{"a"});
  CHECK(contains(yaml_refusal("names:\n  0: ''\n"), "has no name"));
  CHECK(contains(yaml_refusal("names: [~]\n"), "no plain text"));
  CHECK(contains(yaml_refusal("nc: six\nnames: [a]\n"), "nc is \"six\""));
  CHECK(contains(yaml_refusal(std::string(100000, '[')), "is no YAML"));
}
