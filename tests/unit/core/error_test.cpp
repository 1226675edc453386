#include "tuner/core/error.h"

#include "support/catch.h"

using namespace tune;

TEST_CASE("a spec error shows every problem with its place and its cure", "[error]") {
  const SpecError error("search.json", {{4, 12, "/limits/trials", "0 is too small", "the least is 1"},
                                        {0, 0, "", "the file is empty", ""}});
  REQUIRE(std::string(error.what()) ==
          "search.json has 2 problems\n"
          "  search.json:4:12 /limits/trials: 0 is too small\n"
          "    the least is 1\n"
          "  search.json: the file is empty");
  REQUIRE(error.code() == ExitCode::kBadSpec);
  REQUIRE(error.file() == "search.json");
  REQUIRE(error.problems().size() == 2);
}

TEST_CASE("a spec error with one problem says so in the singular", "[error]") {
  REQUIRE(std::string(SpecError("s.json", {{1, 1, "", "bad", ""}}).what()) ==
          "s.json has a problem\n  s.json:1:1: bad");
}

TEST_CASE("a broken invariant is an internal error that names the expression and the place", "[error]") {
  const int apples = 3;
  REQUIRE_NOTHROW([&] { TUNE_CHECK(apples == 3); }());
  try {
    TUNE_CHECK(apples == 4, "apples are " + std::to_string(apples));
    FAIL("the check let a false expression pass");
  } catch (const Error& error) {
    REQUIRE(error.code() == ExitCode::kInternal);
    REQUIRE_THAT(error.what(), Catch::Matchers::Contains("apples == 4") &&
                                   Catch::Matchers::Contains("error_test.cpp") &&
                                   Catch::Matchers::Contains("(apples are 3)"));
    REQUIRE_FALSE(error.hint().empty());
  }
}
