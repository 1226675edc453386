#include "tuner/core/placeholder.h"

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
