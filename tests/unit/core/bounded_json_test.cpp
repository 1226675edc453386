#include "tuner/core/bounded_json.h"

#include "support/catch.h"

using namespace tune;

namespace {

std::string nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

}  // namespace

TEST_CASE("JSON that is nested without end is refused before anything recurses over it") {
  for (const std::size_t depth : {std::size_t{101}, std::size_t{300'000}}) {
    CHECK(parse_bounded_json(nested(depth, '[', ']')).problem == "it is nested deeper than 100 levels");
    CHECK(parse_bounded_json(std::string(depth, '{')).problem == "it is nested deeper than 100 levels");
  }
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  objects += '1';
  CHECK(parse_bounded_json(objects).problem == "it is nested deeper than 100 levels");
  CHECK(parse_bounded_json(nested(100, '[', ']')).problem.empty());
  CHECK(parse_bounded_json(nested(3, '[', ']'), 2).problem == "it is nested deeper than 2 levels");
}

TEST_CASE("Brackets in strings, and closed ones, do not nest") {
  const std::string brackets = Json(std::string(1000, '[') + "\"\\\"" + std::string(1000, '{')).dump();
  CHECK(parse_bounded_json(brackets).problem.empty());
  std::string many = "[[]";
  for (int i = 0; i < 1000; ++i) many += ",[{}]";
  CHECK(parse_bounded_json(many + "]").problem.empty());
}

TEST_CASE("What is no JSON says so, whatever its bytes are") {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("nonsense"), std::string("\0\xff[", 3),
        std::string("\"\\"), std::string("[1}"), std::string("]]]]]"), std::string("{}\0 x", 5)})
    CHECK(parse_bounded_json(text).problem.starts_with("it is not JSON ("));
}
