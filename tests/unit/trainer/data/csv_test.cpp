// Tables as RFC 4180 has them, and as people bend it.
#include "trainer/data/csv.h"

#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using tune::ExitCode;
using Cells = std::vector<std::string>;

TEST_CASE("quoted cells of a CSV hold commas, quotes and ends of lines, and records keep their lines") {
  const auto records = data::parse_csv(
      "a, b ,c\r\n\"x,y\",\"say \"\"no\"\"\",\"two\r\nlines\"\n\n , \"q\" ,\rlast,1,2", "t.csv");
  REQUIRE(records.size() == 4);
  CHECK(records[0].cells == Cells{"a", "b", "c"});
  CHECK(records[1].cells == Cells{"x,y", "say \"no\"", "two\r\nlines"});
  CHECK(records[1].line == 2);
  CHECK(records[2].cells == Cells{"", "q", ""});
  CHECK(records[2].line == 5);
  CHECK(records[3].cells == Cells{"last", "1", "2"});
  CHECK(records[3].line == 6);
  CHECK(data::parse_csv("", "t.csv").empty());
}

TEST_CASE("a quote that is not closed, or has text behind it, is refused with its line") {
  const auto refusal = [](const std::string& text) {
    return message_of(ExitCode::kBadData, [&] { data::parse_csv(text, "t.csv"); });
  };
  CHECK(refusal("a,b\n\"open,b\nc,d\n") == "t.csv, line 2: a quote is not closed");
  CHECK(refusal("a,b\n\n\"x\"y,b\n") == "t.csv, line 3: there is text behind a closing quote");
}

TEST_CASE("a CSV of a spreadsheet may be UTF-16") {
  const TestFolder folder;
  const auto file = folder.write("t.csv", std::string("\xff\xfe"
                                                      "a\0,\0\xe4\0\n\0",
                                                      10));
  const auto records = data::read_csv(file);
  REQUIRE(records.size() == 1);
  CHECK(records[0].cells == Cells{"a", "ä"});
}
