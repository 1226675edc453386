#include "trainer/text/pattern.h"

#include <stdexcept>

#include "support/catch.h"

using tune::trainer::text::Pattern;

namespace {

std::vector<std::string> found(const char* expression, const std::string& text) {
  std::vector<std::string> pieces;
  for (const auto& [begin, end] : Pattern(expression).matches(text))
    pieces.push_back(text.substr(begin, end - begin));
  return pieces;
}

std::string unknown_in(const std::string& expression) {
  try {
    Pattern pattern(expression);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a pattern takes as much as it can, and gives back what follows it") {
  CHECK(found(R"(\s+(?!\S)|\s+)", "a   b  ") == std::vector<std::string>{"  ", " ", "  "});
  CHECK(found(R"(\s*[\r\n]+)", " \n \n  x\n") == std::vector<std::string>{" \n \n", "\n"});
  CHECK(found(R"([ab]+b)", "abab aab") == std::vector<std::string>{"abab", "aab"});
  CHECK(found(R"([ab]++b|x)", "abab x") == std::vector<std::string>{"x"});
  CHECK(found(R"(\p{N}{1,3})", "12345") == std::vector<std::string>{"123", "45"});
  CHECK(found(R"(a{2,})", "a aa aaa") == std::vector<std::string>{"aa", "aaa"});
  CHECK(found(R"([^\s\p{L}]+)", "ab.,é!") == std::vector<std::string>{".,", "!"});
}

TEST_CASE("the first alternative that matches counts, whatever its length") {
  CHECK(found(R"(a|ab|b)", "ab") == std::vector<std::string>{"a", "b"});
  CHECK(found(R"('(?i:[sdmt]|ll|ve|re)|x)", "'LL'Sx'zz") == std::vector<std::string>{"'LL", "'S", "x"});
}

TEST_CASE("a letter without regard to case is also the long s and the sign of kelvin") {
  CHECK(found(R"((?i:s))", "sSſt") == std::vector<std::string>{"s", "S", "ſ"});
  CHECK(found(R"((?i:k))", "kK\u212A") == std::vector<std::string>{"k", "K", "\u212A"});
}

TEST_CASE("classes, ranges and what is escaped in them") {
  CHECK(found(R"([\-a\]\\]+)", "-a]\\b") == std::vector<std::string>{"-a]\\"});
  CHECK(found("[一-龥]+", "a漢字b") == std::vector<std::string>{"漢字"});
  CHECK(found(R"(\p{Lu}\p{Ll}+)", "Über ABc") == std::vector<std::string>{"Über", "Bc"});
  CHECK(found(R"(\d+\.\S)", "12.x 3.") == std::vector<std::string>{"12.x"});
}

TEST_CASE("what a pattern may hold and this program does not know is named") {
  CHECK(unknown_in(R"(\bword)") == "\\b");
  CHECK(unknown_in("a.") == ".");
  CHECK(unknown_in("^a") == "^");
  CHECK(unknown_in("(a)") == "a group that is neither (?: nor (?i:");
  CHECK(unknown_in("(?:a)+") == "a repeated group");
  CHECK(unknown_in("(?:a)b") == "something behind a group or a (?!...)");
  CHECK(unknown_in("a+?") == "a lazy ?? *? or +?");
  CHECK(unknown_in("a*") == "an alternative that matches nothing at all");
  CHECK(unknown_in("a|") == "an alternative that matches nothing at all");
  CHECK(unknown_in("[a") == "its end, where something is open");
  CHECK(unknown_in("[[:alpha:]]") == "a [ or && inside [ ]");
  CHECK(unknown_in("[b-a]") == "a range without an end");
  CHECK(unknown_in(R"(\p{Greek})") == "\\p{Greek}");
  CHECK(unknown_in("a{3,1}") == "a { } that is no count");
  CHECK(unknown_in("a)") == "a ) that closes nothing");
  CHECK(unknown_in("(?i:[a-z])") == "a range or a letter beyond ASCII inside (?i: )");
  CHECK(unknown_in("(?<=a)b") == "a group that is neither (?: nor (?i:");
}

TEST_CASE("a pattern that would take endless time or stack is refused") {
  CHECK(unknown_in("a*a*a*a*a*b") == "more than 4 parts of open length in one alternative");
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += "(?:";
  CHECK(unknown_in(nested) == "groups that are nested too deep");
}
