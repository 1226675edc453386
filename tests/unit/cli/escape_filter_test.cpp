#include "tuner/cli/escape_filter.h"

#include "support/catch.h"

namespace tune::cli {
namespace {

std::string filtered(std::string_view text, bool colors = false) {
  EscapeFilter filter(colors);
  std::string out = filter.filter(text);
  return out + filter.finish();
}

TEST_CASE("plain text, tabs and UTF-8 pass as they are", "[escape]") {
  const std::string text = "epoch 1\tGröße 0.5 \xF0\x9F\x9A\x80\n";
  CHECK(filtered(text) == text);
}

TEST_CASE("colours pass when they are wanted and vanish when not", "[escape]") {
  const std::string text = "\x1b[1;38;5;208mbold\x1b[m";
  CHECK(filtered(text, true) == text);
  CHECK(filtered(text, false) == "bold");
}

TEST_CASE("every other sequence is shown instead of obeyed", "[escape]") {
  CHECK(filtered("\x1b[2J\x1b[H", true) == "^[[2J^[[H");            // clear, home
  CHECK(filtered("\x1b]52;c;aGk=\x07", true) == "^[]52;c;aGk=^G");  // clipboard
  CHECK(filtered("\x1b]0;title\x1b\\", true) == "^[]0;title^[\\");  // title
  CHECK(filtered("\x1bP+q544e\x1b\\", true) == "^[P+q544e^[\\");    // DCS, answers as if typed
  CHECK(filtered("\x1b[6n", true) == "^[[6n");                      // cursor report
  CHECK(filtered("\x1b[>4;2m", true) == "^[[>4;2m");                // looks like SGR, sets keyboard modes
  CHECK(filtered("\x1b"
                 "c",
                 true) == "^[c");  // reset
  CHECK(filtered("\xC2\x9B"
                 "31m",
                 true) ==
        "\xEF\xBF\xBD"
        "31m");  // CSI as a C1 character
  CHECK(filtered("\x9B"
                 "31m",
                 true) ==
        "\xEF\xBF\xBD"
        "31m");  // CSI as a byte
  CHECK(filtered(std::string_view("\0\b\x7f", 3)) == "^@^H^?");
}

TEST_CASE("an endless colour sequence is none", "[escape]") {
  const std::string text = "\x1b[" + std::string(100, '1') + "m";
  CHECK(filtered(text, true) == "^[[" + std::string(100, '1') + "m");
}

TEST_CASE("carriage returns become line breaks", "[escape]") {
  CHECK(filtered("10%\r20%\r\n30%\r") == "10%\n20%\n30%\n");
  CHECK(filtered("a\r\r\nb") == "a\n\nb");
}

TEST_CASE("bytes that are not UTF-8 are replaced", "[escape]") {
  CHECK(filtered("a\xFF"
                 "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(filtered("a\xE2\x82") == "a\xEF\xBF\xBD");            // cut at the end
  CHECK(filtered("\xE2\x82z") == "\xEF\xBF\xBDz");            // cut in the middle
  CHECK(filtered("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");  // overlong
}

TEST_CASE("where the input is cut into pieces makes no difference", "[escape]") {
  const std::string text =
      "a\x1b[31mred\x1b[0m\x1b]0;t\x07\r\n50%\r60%\r\nGr\xC3\xB6\xC3\x9F"
      "e \xE2\x82\xAC \xFF \x1b[2Jend\x1b[3";
  const std::string whole = filtered(text, true);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EscapeFilter filter(true);
    std::string out = filter.filter(std::string_view(text).substr(0, cut));
    out += filter.filter(std::string_view(text).substr(cut));
    out += filter.finish();
    CAPTURE(cut);
    CHECK(out == whole);
  }
  EscapeFilter filter(true);
  std::string out;
  for (const char byte : text) out += filter.filter(std::string_view(&byte, 1));
  CHECK(out + filter.finish() == whole);
}

}  // namespace
}  // namespace tune::cli
