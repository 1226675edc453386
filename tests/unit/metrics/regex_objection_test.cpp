#include "tuner/metrics/regex_objection.h"
#include "support/catch.h"

using Catch::Matchers::Contains;
using tune::metrics::regex_objection;

TEST_CASE("usable regexes raise no objection") {
  for (const char* regex : {"loss=([0-9.]+)", "validation mAP <score>=\\(([0-9.]+)\\)", "(?i)Loss: (\\S+)",
                            "(?P<value>\\d+)", "(?<value>\\d+)", "(?:a|b)=(.*)"}) {
    INFO(regex);
    CHECK_FALSE(regex_objection(regex));
  }
}

TEST_CASE("a regex without a group is refused and the cure shows one") {
  for (const char* regex : {"loss=[0-9.]+", "(?:loss)=\\d", "\\(loss\\)", "[(]loss"}) {
    INFO(regex);
    const auto objection = regex_objection(regex);
    REQUIRE(objection);
    CHECK_THAT(objection->message, Contains("no group"));
    CHECK_THAT(objection->hint, Contains("(\\\\S+)"));
  }
}

TEST_CASE("look-around is refused with a cure") {
  for (const char* regex : {"(?<=loss=)([0-9.]+)", "(?<!x)(a)", "(a)(?=b)", "(a)(?!b)", "(?>a)(b)"}) {
    INFO(regex);
    const auto objection = regex_objection(regex);
    REQUIRE(objection);
    CHECK_THAT(objection->hint, Contains("look-around"));
  }
}

TEST_CASE("a back-reference is refused with a cure") {
  const auto objection = regex_objection("(a)\\1");
  REQUIRE(objection);
  CHECK_THAT(objection->hint, Contains("back-references"));
}

TEST_CASE("syntax errors say what RE2 says") {
  const auto objection = regex_objection("loss=([0-9.]+");
  REQUIRE(objection);
  CHECK_THAT(objection->message, Contains("missing )"));
  CHECK_THAT(objection->hint, Contains("escape a literal parenthesis"));
}

TEST_CASE("too long and too large regexes are refused") {
  const auto too_long = regex_objection("(" + std::string(1024, 'a') + ")");
  REQUIRE(too_long);
  CHECK_THAT(too_long->message, Contains("1026 bytes") && Contains("1024"));
  CHECK_FALSE(regex_objection("(" + std::string(1022, 'a') + ")"));
  const auto too_large = regex_objection("((((a{100}){100}){100}))");
  REQUIRE(too_large);
  CHECK_THAT(too_large->hint, Contains("repetition"));
}

TEST_CASE("an empty regex is refused") { REQUIRE(regex_objection("")); }
