#include "support/catch.h"
#include "support/sanitized.h"
#include "tuner/core/json_positions.h"
#include "unit/import/request_fixture.h"

namespace tune::amt {
namespace {

// Imports the text. Whatever is wrong with it must come out as problems that have a place, nothing else.
void import_or_explain(const std::string& text) {
  try {
    const Import import = imported(text);
    REQUIRE_FALSE(import.searches.empty());
  } catch (const SpecError& error) {
    REQUIRE_FALSE(error.problems().empty());
    for (const Problem& problem : error.problems()) {
      REQUIRE(problem.line > 0);
      REQUIRE_FALSE(problem.message.empty());
    }
  }
}

std::vector<std::string> all_pointers(const std::string& text) {
  std::vector<std::string> pointers;
  for (const auto& [pointer, place] : parse_with_positions(text).values)
    if (!pointer.empty()) pointers.push_back(pointer);
  return pointers;
}

const std::vector<std::string> kNames{"object-detection.json", "pytorch-script.json",
                                      "hyperband-warm-start.json", "two-algorithms.json"};

TEST_CASE("any value in place of any other is imported or explained", "[import]") {
  const std::vector<std::string> odd{"null",
                                     "true",
                                     "-1",
                                     "1.5",
                                     "1e308",
                                     "\"\"",
                                     "\"x\"",
                                     "\"{{lr}}\"",
                                     "\"\\u0000\"",
                                     "[]",
                                     "{}",
                                     "[null]",
                                     "[[]]",
                                     "{\"\": 0}",
                                     "{\"a/b~\": \"1\"}",
                                     "18446744073709551615",
                                     "\"\\\"\""};
  std::size_t pairs = 0;
  for (const std::string& name : kNames) {
    const std::string text = request_of(name);
    const OrderedJson whole = OrderedJson::parse(text);
    for (const std::string& pointer : all_pointers(text))
      for (const std::string& value : odd) {
        if (tests::kSanitized && pairs++ % 8 != 0)
          continue;  // 17 values: another part of them for each pointer
        OrderedJson document = whole;
        document[OrderedJson::json_pointer(pointer)] = OrderedJson::parse(value);
        CAPTURE(name, pointer, value);
        import_or_explain(document.dump());
      }
  }
}

TEST_CASE("any part left out is imported or explained", "[import]") {
  for (const std::string& name : kNames) {
    const std::string text = request_of(name);
    for (const std::string& pointer : all_pointers(text)) {
      OrderedJson document = OrderedJson::parse(text);
      const OrderedJson::json_pointer place(pointer);
      OrderedJson& parent = document[place.parent_pointer()];
      if (parent.is_array())
        parent.erase(static_cast<std::size_t>(std::stoul(place.back())));
      else
        parent.erase(place.back());
      CAPTURE(name, pointer);
      import_or_explain(document.dump());
    }
  }
}

TEST_CASE("a request that breaks off anywhere is explained", "[import]") {
  const std::string text = small_request().dump(1);
  for (std::size_t length = 0; length < text.size(); length += 7) {
    CAPTURE(length);
    import_or_explain(text.substr(0, length));
  }
}

TEST_CASE("a field that is there twice is explained", "[import]") {
  std::string text = small_request().dump(1);
  text.replace(text.find("\"Strategy\""), 10, "\"Strategy\": \"Random\", \"Strategy\"");
  CHECK_THAT(problems_of(text), Catch::Matchers::Contains("is there twice"));
}

}  // namespace
}  // namespace tune::amt
