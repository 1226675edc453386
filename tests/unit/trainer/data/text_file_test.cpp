// What editors, systems and tools do to texts and numbers.
#include <sys/stat.h>

#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer::data;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;

TEST_CASE("byte order marks are taken away, and what they announce is converted") {
  const TestFolder folder;
  const auto text = [&](const std::string& bytes) { return read_text(folder.write("a.txt", bytes)); };
  CHECK(text("\xef\xbb\xbfpit") == "pit");
  CHECK(text(std::string("\xff\xfep\0\xe9\0", 6)) == "p\xc3\xa9");
  CHECK(text(std::string("\xfe\xff\0p\0\xe9", 6)) == "p\xc3\xa9");
  CHECK(text(std::string("\xff\xfe\0\0p\0\0\0", 8)) == "p");
  CHECK(text("") == "");
  CHECK(text("pit") == "pit");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { text(std::string("\xff\xfe\0\xd8", 4)); }),
                 "is no UTF-16LE"));
}

TEST_CASE("XML is read in the encoding that it declares") {
  const TestFolder folder;
  const auto name = [&](const std::string& bytes) {
    const std::string text = read_xml(folder.write("a.xml", bytes));
    return text.substr(text.find("<n>") + 3, text.find("</n>") - text.find("<n>") - 3);
  };
  CHECK(name("<?xml version='1.0' encoding='ISO-8859-1'?><n>\xe9</n>") == "\xc3\xa9");
  CHECK(name("<?xml version=\"1.0\" encoding=\"windows-1252\"?><n>\x80</n>") == "\xe2\x82\xac");
  CHECK(name("<?xml version=\"1.0\" encoding=\"GB2312\"?><n>\xc1\xd1</n>") == "\xe8\xa3\x82");
  CHECK(name("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"GB2312\"?><n>\xc3\xa9</n>") == "\xc3\xa9");
  CHECK(name("<n>\xc3\xa9</n>") == "\xc3\xa9");
  CHECK(contains(
      message_of(ExitCode::kBadData, [&] { name("<?xml version=\"1.0\" encoding=\"Klingon\"?><n>x</n>"); }),
      "its encoding is \"Klingon\", which is unknown"));
}

TEST_CASE("a FIFO or a folder in a file's place is refused without being opened") {
  const TestFolder folder;
  const auto fifo = folder.path() / "a.xml";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_text(fifo); }),
                 "a.xml\": it is a FIFO, not a regular file"));
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_xml(folder.path()); }), "it is a folder"));
  CHECK(
      contains(message_of(ExitCode::kBadData, [&] { read_text(folder.path() / "none"); }), "does not exist"));
}

TEST_CASE("lines end in all their forms, and words are what white space separates") {
  using Texts = std::vector<std::string>;
  CHECK(lines_of("a\r\nb\rc\n\nd") == Texts{"a", "b", "c", "", "d"});
  CHECK(lines_of("a\r\n") == Texts{"a"});
  CHECK(lines_of("").empty());
  CHECK(words_of("  0\t.5 \r") == Texts{"0", ".5"});
  CHECK(trimmed(" \t a b \r\n") == "a b");
  CHECK(with_slashes("images\\train\\a.jpg") == "images/train/a.jpg");
}

TEST_CASE("whole numbers are taken from integers, floats and texts, and never become others") {
  CHECK(whole_number(Json(7)) == 7);
  CHECK(whole_number(Json(7.0)) == 7);
  CHECK(whole_number(Json(" 7 ")) == 7);
  CHECK(whole_number(Json("7.0")) == 7);
  CHECK(whole_number(Json(-3)) == -3);
  CHECK(whole_number(Json::parse("9007199254740993")) == 9007199254740993);
  CHECK(whole_number(Json("9223372036854775807")) == INT64_MAX);
  for (const char* refused : {"1.7", "\"a\"", "\"\"", "null", "true", "[1]", "9223372036854775808", "1e30",
                              "9007199254740993.0", "\"9223372036854775808\""}) {
    CAPTURE(refused);
    CHECK_FALSE(whole_number(Json::parse(refused)).has_value());
  }
  CHECK(contains(not_whole(Json(1.7)), "is 1.7, not a whole number"));
  CHECK(contains(not_whole(Json::parse("9223372036854775808")), "beyond 2^63 - 1"));
  CHECK(contains(not_whole(Json(9007199254740994.0)), "no longer is exact"));
}

TEST_CASE("numbers and flags are taken as people write them, and nothing is guessed") {
  CHECK(number_of(std::string_view(" 3.5\n")) == 3.5);
  CHECK(number_of(std::string_view("+2")) == 2);
  CHECK_FALSE(number_of(std::string_view("3,5")).has_value());
  CHECK_FALSE(number_of(std::string_view("")).has_value());
  CHECK_FALSE(number_of(Json()).has_value());
  for (const char* yes : {" 1 ", "1.0", "true", "True", "YES"}) CHECK(flag_of(std::string_view(yes)) == true);
  for (const char* no : {"", " 0\n", "0.0", "false", "no"}) CHECK(flag_of(std::string_view(no)) == false);
  for (const char* unknown : {"2", "maybe", "0.5"})
    CHECK_FALSE(flag_of(std::string_view(unknown)).has_value());
  CHECK(flag_of(Json()) == false);
  CHECK(flag_of(Json("1")) == true);
  CHECK_FALSE(flag_of(Json(2)).has_value());
}
