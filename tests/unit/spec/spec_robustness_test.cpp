#include "support/catch.h"
#include "support/sanitized.h"
#include "support/spec_text.h"
#include "tuner/core/json_positions.h"

using namespace tune;
using namespace tune::tests;

namespace {

// Reads the text. Whatever is wrong with it must come out as problems that have a place, nothing else.
void read_or_explain(const std::string& text) {
  try {
    const Spec spec = parse(text);
    REQUIRE(spec.space.size() > 0);
  } catch (const SpecError& error) {
    REQUIRE_FALSE(error.problems().empty());
    for (const Problem& problem : error.problems()) {
      REQUIRE(problem.line > 0);
      REQUIRE_FALSE(problem.message.empty());
    }
  }
}

std::vector<std::string> all_pointers() {
  std::vector<std::string> pointers;
  for (const auto& [pointer, place] : parse_with_positions(kFull).values)
    if (!pointer.empty()) pointers.push_back(pointer);
  return pointers;
}

}  // namespace

TEST_CASE("any value in place of any other is read or explained", "[spec]") {
  const std::vector<std::string> odd{"null",
                                     "true",
                                     "0",
                                     "-1",
                                     "1.5",
                                     "1e308",
                                     "-9223372036854775808",
                                     "\"\"",
                                     "\"x\"",
                                     "\"-\"",
                                     "\"{{lr}}\"",
                                     "\"\\u0000\"",
                                     "[]",
                                     "{}",
                                     "[null]",
                                     "[[]]",
                                     "{\"\": 0}",
                                     "{\"type\": \"int\"}",
                                     "18446744073709551615"};
  std::size_t pairs = 0;
  for (const std::string& pointer : all_pointers())
    for (const std::string& value : odd) {
      if (tests::kSanitized && pairs++ % 4 != 0)
        continue;  // 19 values: another quarter of them for each pointer
      OrderedJson document = OrderedJson::parse(kFull);
      document[OrderedJson::json_pointer(pointer)] = OrderedJson::parse(value);
      CAPTURE(pointer, value);
      read_or_explain(document.dump());
    }
}

TEST_CASE("any part left out is read or explained", "[spec]") {
  for (const std::string& pointer : all_pointers()) {
    OrderedJson document = OrderedJson::parse(kFull);
    const OrderedJson::json_pointer place(pointer);
    OrderedJson& parent = document[place.parent_pointer()];
    if (parent.is_array())
      parent.erase(static_cast<std::size_t>(std::stoul(place.back())));
    else
      parent.erase(place.back());
    CAPTURE(pointer);
    read_or_explain(document.dump());
  }
}

TEST_CASE("any part twice is explained", "[spec]") {
  for (const auto& [pointer, place] : parse_with_positions(kFull).keys) {
    OrderedJson document = OrderedJson::parse(kFull);
    const OrderedJson::json_pointer at(pointer);
    OrderedJson& parent = document[at.parent_pointer()];
    // OrderedJson cannot hold a key twice; its text can.
    parent["@twice@"] = parent[at.back()];
    std::string text = document.dump();
    text.replace(text.find("\"@twice@\""), 9, OrderedJson(at.back()).dump());
    CAPTURE(pointer);
    REQUIRE_THAT(problems_of(text), Catch::Matchers::Contains("is there twice"));
  }
}
