#include "tuner/report/text/table.h"

#include "support/catch.h"

namespace tune::report {
namespace {

const Table kTable = {{{"trial", Align::kRight}, {"state"}, {"hyperparameters", Align::kLeft, true}},
                      {{"1", "completed", "learning_rate=0.001 momentum=0.9"}, {"12", "failed", ""}}};

TEST_CASE("columns are aligned and lines end without spaces", "[table]") {
  CHECK(text_table(kTable, 0) ==
        "trial  state      hyperparameters\n"
        "    1  completed  learning_rate=0.001 momentum=0.9\n"
        "   12  failed\n");
}

TEST_CASE("a table that is too wide cuts its flexible columns first, then its lines", "[table]") {
  CHECK(text_table(kTable, 34) ==
        "trial  state      hyperparameters\n"
        "    1  completed  learning_rate=0…\n"
        "   12  failed\n");
  CHECK(text_table(kTable, 12) ==
        "trial  stat…\n"
        "    1  comp…\n"
        "   12  fail…\n");
}

TEST_CASE("no line of a table is wider than it may be, whatever the width", "[table]") {
  for (int width = 1; width < 60; ++width) {
    const std::string text = text_table(kTable, width);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      CHECK(display_width(std::string_view(text).substr(begin, end - begin)) <=
            static_cast<std::size_t>(width));
      begin = end + 1;
    }
  }
}

TEST_CASE("UTF-8 counts by characters and is never cut inside one", "[table]") {
  CHECK(display_width("Größe") == 5);
  CHECK(cut_to_width("Größe", 4) == "Grö…");
  CHECK(cut_to_width("Größe", 5) == "Größe");
  CHECK(cut_to_width("Größe", 1) == "…");
  CHECK(cut_to_width("Größe", 0).empty());
}

TEST_CASE("no control character of a cell reaches the terminal", "[table]") {
  CHECK(one_line("a\x1b[31mb\nc\td\x7f") == "a [31mb c d ");
  CHECK(one_line("a\xC2\x9B"
                 "31mb") == "a 31mb");  // CSI as one C1 character
  CHECK(one_line("Größe") == "Größe");
  CHECK(one_line("ada\xE2\x80\xAE@tsoh \xE2\x81\xA6") == "ada\\u202e@tsoh \\u2066");
  CHECK(one_line("\xff\xC2") == "\xff\xC2");  // what is no UTF-8 is left to others
}

TEST_CASE("CSV follows RFC 4180", "[table]") {
  const Table table = {{{"a"}, {"b,c"}}, {{"plain", "with \"quotes\""}, {"two\nlines", ""}}};
  CHECK(csv_table(table) == "a,\"b,c\"\r\nplain,\"with \"\"quotes\"\"\"\r\n\"two\nlines\",\r\n");
}

}  // namespace
}  // namespace tune::report
