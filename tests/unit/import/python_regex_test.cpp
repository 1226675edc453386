#include "tuner/import/python_regex.h"

#include "support/catch.h"

namespace tune::amt {
namespace {

using Catch::Matchers::Contains;

std::string re2(const std::string& regex) {
  const Re2Regex result = from_python(regex);
  INFO(result.objection);
  CHECK(result.objection.empty());
  return result.regex;
}

TEST_CASE("what Python and RE2 spell alike stays as it is", "[import]") {
  for (const char* regex :
       {"loss=(\\S+)", "GAN_loss=(.*?);", "(?P<loss>\\d+)", "a(?:b|c)(x)", "(?i)LOSS (\\S+)",
        "[^]\\]]+([0-9.]+) x", "#quality_metric: host=\\S+, epoch=\\S+, validation mAP <score>=\\((\\S+)\\)",
        "a{2,3}(b)", "(\\\\Z)", "[{,3}](x)", "([a-z]{,x})"})
    CHECK(re2(regex) == regex);
}

TEST_CASE("what they spell differently is rewritten", "[import]") {
  CHECK(re2("loss=(\\S+)\\Z") == "loss=(\\S+)\\z");
  CHECK(re2("a{,3}(b)") == "a{0,3}(b)");
  CHECK(re2("\\u2026(\\S+)") == "\\x{2026}(\\S+)");
  CHECK(re2("[\\u00e9]\\U0001F600(x)") == "[\\x{00e9}]\\x{0001F600}(x)");
  CHECK(re2("loss(?#the last one)=(\\S+)") == "loss=(\\S+)");
  CHECK(re2("(?a)(?iu)loss=(\\S+)") == "(?i)loss=(\\S+)");
  CHECK(re2("(?u:loss)=(\\S+)") == "(?:loss)=(\\S+)");
}

TEST_CASE("look-around is refused with the regex that reads the same number", "[import]") {
  const Re2Regex behind = from_python("(?<=loss: )[0-9.]+");
  CHECK_THAT(behind.objection, Contains("look-around"));
  CHECK_THAT(behind.cure, Contains("loss: ([0-9.]+)"));
  CHECK_THAT(from_python("step (?<=x)(\\S+)").cure, Contains("step x(\\S+)"));
  for (const char* regex :
       {"(\\S+)(?= %)", "(?!val)loss=(\\S+)", "(?<!val_)loss=(\\S+)", "(?>a+)(b)", "(?<=a|b)(c)"}) {
    CAPTURE(regex);
    CHECK_FALSE(from_python(regex).objection.empty());
    CHECK_FALSE(from_python(regex).cure.empty());
  }
}

TEST_CASE("other things that RE2 lacks are refused with a cure", "[import]") {
  CHECK_THAT(from_python("(?x) loss = (\\S+)").objection, Contains("flag x"));
  CHECK_THAT(from_python("(?P<a>x)(?P=a)").objection, Contains("depends on an earlier one"));
  CHECK_THAT(from_python("(a)?(?(1)b|c)").objection, Contains("depends on an earlier one"));
}

TEST_CASE("a lazy group at the end would always be empty", "[import]") {
  const Re2Regex empty = from_python("F1=(.*?)");
  CHECK_THAT(empty.objection, Contains("always empty"));
  CHECK_THAT(empty.cure, Contains("write F1=(\\S+)"));
  CHECK_THAT(from_python("F1=(?P<f>.+?)").objection, Contains("one character alone"));
  CHECK(from_python("F1=(.*?),").objection.empty());
  CHECK(from_python("F1=(.*?)$").objection.empty());
  CHECK(from_python("(\\S+) F1=(.*?)").objection.empty());  // the first group gives the value
}

TEST_CASE("a group of digits alone is warned of", "[import]") {
  CHECK_THAT(from_python("mse: ([0-9\\.]+)").warning, Contains("no sign and no exponent"));
  CHECK_THAT(from_python("mse: ([0-9\\.]+) x").hint, Contains("write mse: (\\S+) x"));
  CHECK(from_python("mse: (\\S+)").warning.empty());
  CHECK(from_python("mse: ([-+0-9.e]+)").warning.empty());
}

TEST_CASE("a regex that breaks off is left to RE2 to refuse", "[import]") {
  for (const char* regex :
       {"", "\\", "(", ")", "(?", "(?P<", "[", "[^", "[^]", "(?#", "{,", "\\u12", "(?i", "a)(b"}) {
    CAPTURE(regex);
    CHECK_NOTHROW(from_python(regex));
  }
}

}  // namespace
}  // namespace tune::amt
