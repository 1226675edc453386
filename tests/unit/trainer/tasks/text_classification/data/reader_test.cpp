// Labelled texts out of tables.
#include "trainer/tasks/text_classification/data/reader.h"

#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::text_classification;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;

namespace {

using Names = std::vector<std::string>;
using Sets = std::vector<metrics::Labels>;

Dataset read(const std::string& text, const ReadOptions& options = {}) {
  const TestFolder folder;
  return read_dataset(folder.write("t.csv", text), options);
}

std::string refusal(const std::string& text, const ReadOptions& options = {}) {
  const TestFolder folder;
  const auto file = folder.write("t.csv", text);
  return message_of(ExitCode::kBadData, [&] { read_dataset(file, options); });
}

}  // namespace

TEST_CASE("a CSV without header has labels and texts, and whole numbers are classes in their order") {
  const Dataset set = read("10,\"good, really\"\n2,bad\n10,fine\n");
  CHECK(set.classes == Names{"2", "10"});
  CHECK(labels_of(set).labels == Sets{{1}, {0}, {1}});
  CHECK(set.examples[0].text == "good, really");
  CHECK(set.examples[2].name == "3");
  CHECK_FALSE(set.multi_label);
  CHECK_FALSE(set.pairs);
  CHECK(set.form == "a table of texts, without header");
}

TEST_CASE("named columns are found by the names in use, whatever their order, and others are told") {
  const Dataset set = read("id,Sentiment,Review,score\n1,pos,nice,3\n2,neg,bad,1\n");
  CHECK(set.classes == Names{"neg", "pos"});
  CHECK(set.examples[0].text == "nice");
  REQUIRE(set.warnings.size() == 1);
  CHECK(contains(set.warnings[0], "the columns \"id\", \"score\" are not used"));
  const Dataset asked = read("a,b,text\nx,1,t1\ny,2,t2\n", {.columns = {"a", "", "b", {}}});
  CHECK(asked.examples[1].text == "y");
  CHECK(asked.classes == Names{"1", "2"});
}

TEST_CASE("pairs of texts have a column each") {
  const Dataset set = read("label,sentence1,sentence2\n0,a,b\n1,c,d\n");
  CHECK(set.pairs);
  CHECK(set.examples[1].text == "c");
  CHECK(set.examples[1].second == "d");
  CHECK(contains(refusal("label,text\n0,a\n1,b\n", {.pairs = true}), "one text in each row"));
}

TEST_CASE("several labels are a list, or names with | between them, or a column for each") {
  const Dataset listed =
      read("{\"text\": \"a\", \"labels\": [\"x\", \"y\"]}\n{\"text\": \"b\", \"labels\": []}\n");
  CHECK(listed.multi_label);
  CHECK(listed.classes == Names{"x", "y"});
  CHECK(labels_of(listed).labels == Sets{{0, 1}, {}});
  const Dataset cells = read("text,label\na,y|x\nb,\nc,x;y\n", {.multi_label = true});
  CHECK(labels_of(cells).labels == Sets{{0, 1}, {}, {0, 1}});
  const Dataset flags = read("text,rude,kind\na,1,0\nb,0,0\n", {.columns = {"", "", "", {"rude", "kind"}}});
  CHECK(flags.multi_label);
  CHECK(flags.classes == Names{"rude", "kind"});
  CHECK(labels_of(flags).labels == Sets{{0}, {}});
  CHECK(contains(refusal("text,rude,kind\na,2,0\nb,0,0\n", {.columns = {"", "", "", {"rude", "kind"}}}),
                 "t.csv, line 2: \"rude\" is \"2\", neither 0 nor 1"));
}

TEST_CASE("texts to predict need no labels") {
  CHECK(read("just a text\nanother\n", {.labels = Labels::kIgnored}).examples[1].text == "another");
  CHECK(read("0,a text\n1,another\n", {.labels = Labels::kIgnored}).examples[1].text == "another");
  CHECK(read("text\na\n", {.labels = Labels::kIgnored}).examples.size() == 1);
}

TEST_CASE("a folder has one table, or one for each part") {
  const TestFolder folder;
  folder.write("one/data.csv", "0,a\n1,b\n");
  CHECK(read_dataset(folder.path() / "one").examples.size() == 2);
  CHECK(parts_of_set(folder.path() / "one").empty());
  folder.write("parts/train.csv", "label,text\n0,a\n1,b\n");
  folder.write("parts/validation.jsonl", "{\"label\": 1, \"text\": \"c\"}\n");
  CHECK(parts_of_set(folder.path() / "parts") == Names{"train", "validation"});
  const Dataset validation =
      read_dataset(folder.path() / "parts", {.classes = {"0", "1"}, .part = "validation"});
  CHECK(labels_of(validation).labels == Sets{{1}});
  folder.write("many/a.csv", "0,a\n1,b\n");
  folder.write("many/b.csv", "0,a\n1,b\n");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(folder.path() / "many"); }),
                 "has several tables: a.csv, b.csv"));
  folder.write("none/notes.txt", "x\n");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_dataset(folder.path() / "none"); }),
                 "has no table of texts"));
}

TEST_CASE("what cannot be used is refused with its line") {
  const std::string several = refusal("label,text\n0,a\n,b\n1,\n0,  \n1,c\n");
  CHECK(contains(several, "t.csv, line 3: the label is empty"));
  CHECK(contains(several, "t.csv, line 4: the text is empty"));
  CHECK(contains(several, "t.csv, line 5: the text is empty"));
  CHECK(contains(refusal("0,a,b\n1,c,d\n"), "line 1: it has 3 columns and no header that names them"));
  CHECK(contains(refusal("only\none\n"), "line 1: it has 1 column and no header that names them"));
  CHECK(contains(refusal("label\ttext\n0\ta\n1\tb\n"), "line 1: it has 1 column and no header"));
  CHECK(contains(refusal("label,text\n0,a\n0,b\n"), "every text has the label \"0\""));
  CHECK(contains(refusal("label,body\n0,a\n1,b\n"),
                 "no column is known to hold the texts; there are label, body"));
  CHECK(contains(refusal("text,verdict\na,0\nb,1\n"), "no column is known to hold the labels"));
  CHECK(contains(refusal("label,text\n0,a\n2,b\n", {.classes = {"0", "1"}}),
                 "t.csv, line 3: the label \"2\" is none of the classes 0, 1"));
  CHECK(contains(refusal("{\"text\": \"a\", \"label\": \"x\"}\n{\"label\": \"y\"}\n"),
                 "t.csv, line 2: \"text\" is absent"));
  CHECK(contains(refusal("{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": [1], \"label\": \"y\"}\n"),
                 "t.csv, line 2: \"text\" is no text"));
  CHECK(contains(refusal("{\"text\": \"a\", \"label\": [\"x\"]}\n{\"text\": \"b\", \"label\": \"y\"}\n",
                         {.multi_label = false}),
                 "t.csv, line 1: there are several labels, where each text has one"));
  CHECK(contains(refusal("a,b\nx,y\n", {.columns = {"txt", "", "", {}}}),
                 "has no column \"txt\", which trainer.text_column names"));
}
