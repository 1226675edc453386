#include "tuner/spec/placeholder.h"

#include "support/catch.h"

using namespace tune;

TEST_CASE("placeholders are found with their places", "[placeholder]") {
  const std::string element = "--lr={{lr}},{{lora.r}}";
  const auto found = find_placeholders(element);
  REQUIRE(found.size() == 2);
  REQUIRE(found[0].name == "lr");
  REQUIRE(element.substr(found[0].begin, found[0].end - found[0].begin) == "{{lr}}");
  REQUIRE(found[1].name == "lora.r");
  REQUIRE(found[1].end == element.size());
}

TEST_CASE("braces that are no placeholder are text", "[placeholder]") {
  REQUIRE(find_placeholders("{\"a\":{\"b\":1}}").empty());
  REQUIRE(find_placeholders("{{open").empty());
  REQUIRE(find_placeholders("").empty());
  REQUIRE(find_placeholders("{{}}").front().name.empty());
}

TEST_CASE("an option that waits for a value is told from flags, numbers and separators", "[placeholder]") {
  for (const char* option : {"--lr", "-l", "-lr", "--no-cuda", "-O2"}) CHECK(is_bare_option(option));
  for (const char* other : {"--lr=1", "--", "-", "-1", "-.5", "lr", "", "--{{x}}", "train.py"})
    CHECK_FALSE(is_bare_option(other));
}

TEST_CASE("a switch has whole options for values, or null", "[placeholder]") {
  CHECK(is_switch({"--amp", nullptr}));
  CHECK(is_switch({"--amp", "--no-amp"}));
  CHECK(is_switch({"-v"}));
  CHECK_FALSE(is_switch({"--amp", "fp32"}));
  CHECK_FALSE(is_switch({"-1", "-0.5"}));
  CHECK_FALSE(is_switch({"-inf", nullptr}));
  CHECK_FALSE(is_switch({nullptr}));
  CHECK_FALSE(is_switch({1, 2}));
  CHECK_FALSE(is_switch({}));
}
