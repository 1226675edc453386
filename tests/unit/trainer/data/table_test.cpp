// Tables with the place of every row.
#include "trainer/data/table.h"

#include "trainer/data/text_file.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;

namespace {

std::string refusal(const std::string& text, const data::TableForm& form = {}) {
  const TestFolder folder;
  const auto file = folder.write("t.csv", text);
  const std::string message = message_of(ExitCode::kBadData, [&] { data::read_table(file, form); });
  const std::size_t at = message.find("t.csv");
  return at == message.npos ? message : message.substr(at);
}

data::Table read(const std::string& text, const data::TableForm& form = {}) {
  const TestFolder folder;
  return data::read_table(folder.write("t.csv", text), form);
}

}  // namespace

TEST_CASE("a CSV's first row names its columns, and its texts keep the white space around them") {
  const data::Table table = read("text, label\n \"a, b\" ,pos\n\" two\nlines\", neg \n");
  CHECK(table.columns == std::vector<std::string>{"text", "label"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0].cells == std::vector<Json>{"a, b", "pos"});
  CHECK(table.rows[1].cells == std::vector<Json>{" two\nlines", " neg "});
  CHECK(table.rows[1].line == 3);
  CHECK(table.place(table.rows[1]).ends_with("t.csv, line 3"));
  CHECK(table.find("LABEL") == 1);
  CHECK(table.find("labels") == std::nullopt);
}

TEST_CASE("a CSV without a known name in its first row has no header, where one may be absent") {
  const data::TableForm form{data::Header::kIfNamed, {"text", "label"}};
  const data::Table without = read("1,good\n0,bad\n", form);
  CHECK_FALSE(without.has_header);
  CHECK(without.columns == std::vector<std::string>{"1", "2"});
  CHECK(without.rows.size() == 2);
  CHECK(read("Label,words\n0,bad\n", form).rows.size() == 1);
  CHECK(read("text,label\n0,bad\n", {data::Header::kNever, {}}).rows.size() == 2);
}

TEST_CASE("JSON Lines have the columns of all their lines, and null where a line has no value") {
  const data::Table table =
      read("{\"text\": \"a\\nb\", \"label\": 1}\n\n{\"label\": [\"x\", \"y\"], \"more\": true}\n");
  CHECK(table.columns == std::vector<std::string>{"label", "text", "more"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0].cells == std::vector<Json>{1, "a\nb", nullptr});
  CHECK(table.rows[1].cells == std::vector<Json>{Json{"x", "y"}, nullptr, true});
  CHECK(table.rows[1].line == 3);
  CHECK(data::text_of(table.rows[0].cells[0]) == "1");
  CHECK(data::text_of(table.rows[1].cells[0]) == std::nullopt);
}

TEST_CASE("a table that cannot be read is refused with its line") {
  CHECK(refusal("") == "t.csv has no row");
  CHECK(refusal("text,label\n") == "t.csv has no row");
  CHECK(refusal("a,b\n1,2\n\"open,3\n") == "t.csv, line 3: a quote is not closed");
  CHECK(refusal("a,b\r\n1,2\r\nna\xefve,3\n") == "t.csv, line 3: a character is not UTF-8");
  const std::string uneven = refusal("a,b\n1,2,3\n4\n5,6\n");
  CHECK(uneven.find("t.csv, line 2: it has 3 cells, and the first row has 2") != uneven.npos);
  CHECK(uneven.find("t.csv, line 3: it has 1 cell, and the first row has 2") != uneven.npos);
  CHECK(refusal("a,a\n1,2\n") == "t.csv, line 1: the column \"a\" is there twice");
  CHECK(refusal("a,\n1,2\n") == "t.csv, line 1: column 2 has no name");
  CHECK(refusal("{\"a\": 1}\n{\"a\": 1,}\n").substr(0, 39) == "t.csv, line 2, column 9: it is not JSON");
  CHECK(refusal("{\"a\": 1}\n{\"a\": 1, \"a\": 2}\n").starts_with("t.csv, line 2, column 10: "));
  CHECK(refusal("{\"a\": 1}\n[2]\n") == "t.csv, line 2: it is no object");
  CHECK(refusal("[{\"a\": 1}, {\"a\": 2}]") == "t.csv is a JSON list, not JSON Lines");
}

TEST_CASE("a column that is not there is refused with the names that are") {
  const data::Table table = read("text,label\na,b\n");
  CHECK(table.column("label", "trainer.label_column") == 1);
  CHECK(message_of(ExitCode::kBadData, [&] {
          table.column("lable", "trainer.label_column");
        }).ends_with("t.csv has no column \"lable\", which trainer.label_column names"));
}

TEST_CASE("UTF-8 ends where a byte belongs to no character") {
  for (const char* text : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    CHECK(data::end_of_utf8(text) == std::string_view(text).size());
  for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
    CHECK(data::end_of_utf8(std::string("ab") + bad) == 2);
}
