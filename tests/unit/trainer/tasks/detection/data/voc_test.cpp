// Folders of VOC annotations as people have them.
#include "trainer/data/folder_listing.h"
#include "unit/trainer/images/picture_files.h"
#include "unit/trainer/tasks/detection/data/reader_fixture.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using namespace tune::trainer::tests;
using tune::ExitCode;

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
