// Lists and tables of labelled images.
#include "unit/trainer/tasks/image_classification/data/labelled_images.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using namespace tune::trainer::tests;
using tune::ExitCode;
using Texts = std::vector<std::string>;

namespace {

std::string refusal(const std::filesystem::path& data, const ReadOptions& options = {}) {
  return message_of(ExitCode::kBadData, [&] { read_dataset(data, options); });
}

}  // namespace

TEST_CASE("a .lst has an index, a number and a path, and classes in the order of their numbers") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "deep/b c.png", "d.png"}) set.add(name);
  const auto list = set.write("any.lst", "0\t10.000000\ta.png\r\n7\t2\tdeep\\b c.png\n\n8\t2.0\td.png\n");
  const Dataset numbered = read_dataset(list);
  CHECK(numbered.classes == Texts{"2", "10"});
  CHECK(labelled(numbered) == Texts{"a.png=10", "d.png=2", "deep/b c.png=2"});
  CHECK(read_dataset(set.path()).form == "a list of images, any.lst");

  std::string names;
  for (int i = 0; i <= 10; ++i) names += "class " + std::to_string(i) + "\n";
  set.write("Synset.txt", names);
  const Dataset named = read_dataset(list);
  CHECK(named.classes.size() == 11);
  CHECK(labelled(named)[0] == "a.png=class 10");
  CHECK(named.form == "a list of images, any.lst, with the names of Synset.txt");
  set.write("Synset.txt", "one\ntwo\n");
  CHECK(contains(refusal(list), "any.lst, line 1: the label 10.000000 has no name: "));
}

TEST_CASE("several numbers in a .lst are a 0 or 1 for each class") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png", "c.png"}) set.add(name);
  set.write("classes.txt", "pit\ndent\n");
  const auto list = set.write("x.lst", "0\t1\t1\ta.png\n1\t0\t0\tb.png\n2\t0\t1.0\tc.png\n");
  const Dataset dataset = read_dataset(list);
  CHECK(dataset.multi_label);
  CHECK(labelled(dataset) == Texts{"a.png=pit+dent", "b.png=", "c.png=dent"});
  CHECK(contains(refusal(set.write("y.lst", "0\t1\t2\ta.png\n")), "the label \"2\" is no 0 or 1"));
  CHECK(contains(refusal(set.write("y.lst", "0\t1\t0\ta.png\n1\t1\tb.png\n")),
                 "line 2: it has 1 labels, and the first line has 2"));
}

TEST_CASE("a list in which no image shows a class is refused, whatever number of them its lines have") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png"}) set.add(name);
  const auto list = set.write("x.lst", "0\t0\t0\ta.png\n1\t0\t0\tb.png\n");
  CHECK(contains(refusal(list), "x.lst: no image shows a class; check the labels"));
  ReadOptions of_model;
  of_model.classes = {"pit", "dent"};  // to measure a model on images that show nothing is no mistake
  of_model.multi_label = true;
  CHECK(read_dataset(list, of_model).examples.size() == 2);
}

TEST_CASE("wrong lines of a .lst are named together with what they need") {
  const TestFolder folder;
  ImageFolder set(folder);
  set.add("a.png");
  const std::string message = refusal(set.write(
      "x.lst",
      "0 1 a.png\nx\t1\ta.png\n1\tpit\ta.png\n2\t1\tnone.png\n3\t1\t../a.png\n4\t1\ts3://b/a.png\n"));
  INFO(message);
  CHECK(contains(message, "line 1: it needs an index, a label and a path, with tabs between them"));
  CHECK(contains(message, "line 2: the index \"x\" is no whole number"));
  CHECK(contains(message, "line 3: the label \"pit\" is no whole number from 0 on"));
  CHECK(contains(message, "line 4: there is no image " + (set.path() / "none.png").string()));
  CHECK(contains(message, "line 5: the image ../a.png leads out of " + set.path().string()));
  CHECK(contains(message, "line 6: the image s3://b/a.png is no path of this machine"));
}

TEST_CASE("a table needs no header, and finds its columns by their names where it has one") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b, c.png", "d.png"}) set.add(name);
  const Dataset plain = read_dataset(set.write("x.csv", "a.png,pit\n\"b, c.png\",dent\nd.png,pit\n"));
  CHECK(labelled(plain) == Texts{"a.png=pit", "b, c.png=dent", "d.png=pit"});
  CHECK(plain.form == "a table of images, x.csv");
  const Dataset named = read_dataset(
      set.write("x.csv", "id,Class,note,FileName\n1,pit,,a.png\n2,dent,x,\"b, c.png\"\n3,pit,,d.png\n"));
  CHECK(labelled(named) == labelled(plain));
  REQUIRE_FALSE(named.warnings.empty());
  CHECK(contains(named.warnings[0], "the columns \"id\", \"note\" are not used"));
  CHECK(contains(refusal(set.write("x.csv", "a.png,pit,x\n")),
                 "the first row names no columns of paths and labels"));
  CHECK(contains(refusal(set.write("x.csv", "")), "has no row"));
}

TEST_CASE("a column of parts, by name or first in every row, makes parts of a table") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png", "c.png"}) set.add(name);
  const auto named =
      set.write("x.csv", "path,label,split\na.png,pit,train\nb.png,dent,Train\nc.png,pit,VALIDATION\n");
  CHECK(parts_of_set(named, {}) == Texts{"train", "validation"});
  CHECK(read_dataset(named).form == "a table of images, x.csv; parts: train (2), validation (1)");
  const auto first = set.write("y.csv", "TRAIN,a.png,pit\nTRAIN,b.png,dent\nTEST,c.png,pit\n");
  CHECK(parts_of_set(first, {}) == Texts{"train", "test"});
  CHECK(contains(refusal(set.write("x.csv", "path,label,split\na.png,pit,train\nb.png,dent,\n")),
                 "line 3: the part \"\" is none of train, validation, test"));
}

TEST_CASE("labels between | or ; make a table of several labels, where an empty one shows nothing") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) set.add(name);
  const auto file =
      set.write("x.csv", "image,labels\na.png,pit|dent\nb.png,\nc.png,dent; edge\nd.png,pit | pit\n");
  const Dataset dataset = read_dataset(file);
  CHECK(dataset.multi_label);
  CHECK(labelled(dataset) == Texts{"a.png=dent+pit", "b.png=", "c.png=dent+edge", "d.png=pit"});
  ReadOptions single;
  single.multi_label = false;
  const std::string message = refusal(file, single);
  CHECK(contains(message, "line 2: \"pit|dent\" is several labels, where each image has one class"));
  CHECK(contains(message, "line 3: the label is empty"));
  ReadOptions several;
  several.multi_label = true;
  CHECK(read_dataset(set.write("y.csv", "a.png,pit\nb.png,\n"), several).multi_label);
}

TEST_CASE(
    "an image that is listed twice, rows of other lengths and open quotes are refused with their lines") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png"}) set.add(name);
  CHECK(contains(refusal(set.write("x.csv", "a.png,pit\nb.png,dent\n./a.png,pit\n")),
                 "is listed twice, first in "));
  CHECK(contains(refusal(set.write("x.csv", "a.png,pit\nb.png\n")),
                 "line 2: it has 1 cells, and the first row has 2"));
  CHECK(contains(refusal(set.write("x.csv", "a.png,\"pit\nb.png,dent\n")), "line 1: a quote is not closed"));
}

TEST_CASE("a folder of lists that are named as parts is one set, and others are refused by name") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png", "c.png"}) set.add(name);
  set.write("train.lst", "0\t0\ta.png\n1\t1\tb.png\n");
  set.write("val.lst", "0\t1\tc.png\n");
  CHECK(parts_of_set(set.path(), {}) == Texts{"train", "validation"});
  CHECK(read_dataset(set.path()).form == "train.lst, val.lst; parts: train (2), validation (1)");
  set.write("more.lst", "0\t1\tc.png\n");
  CHECK(contains(refusal(set.path()), "holds several lists, and their names do not say which are the parts"));
}

TEST_CASE("several labels in one table of a set's parts are several in all of them") {
  const TestFolder folder;
  ImageFolder set(folder);
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) set.add(name);
  set.write("train.csv", "path,labels\na.png,pit|dent\nb.png,dent\n");
  set.write("val.csv", "path,labels\nc.png,pit\nd.png,\n");
  const Dataset dataset = read_dataset(set.path());
  CHECK(dataset.multi_label);
  CHECK(labelled(dataset) == Texts{"a.png=dent+pit", "b.png=dent", "c.png=pit", "d.png="});
}

TEST_CASE("the paths of a list may begin elsewhere, and to predict its labels are not read") {
  const TestFolder folder;
  ImageFolder set(folder, "images");
  for (const char* name : {"a.png", "b.png"}) set.add(name);
  const auto list = folder.write("lists/x.csv", "path,label\na.png,pit\nb.png,dent\n");
  CHECK(contains(refusal(list), "there is no image"));
  ReadOptions options;
  options.images = set.path();
  CHECK(labelled(read_dataset(list, options)) == Texts{"a.png=pit", "b.png=dent"});
  options.labels = Labels::kIgnored;
  CHECK(labelled(read_dataset(folder.write("lists/x.lst", "0\tnobody reads this\ta.png\n"), options)) ==
        Texts{"a.png="});
}
