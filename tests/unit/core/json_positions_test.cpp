#include "tuner/core/json_positions.h"

#include "support/catch.h"

using namespace tune;

namespace {

std::string place(const Position& position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

// The one problem of a text, as "line:column message".
std::string only_problem(const std::string& text) {
  const PositionedJson parsed = parse_with_positions(text);
  REQUIRE(parsed.problems.size() == 1);
  const Problem& problem = parsed.problems[0];
  return place({problem.line, problem.column}) + " " + problem.message;
}

}  // namespace

TEST_CASE("every value and key has the place where it starts", "[positions]") {
  const PositionedJson parsed = parse_with_positions(
      "{\n"
      "  \"a\": 1,\n"
      "  \"b/c~\" : [ 22,\"x\",\n"
      "    {\"d\":null} , [] ],\r\n"
      "  \"é\": -1.5e3, \"f\": {}}");
  REQUIRE(parsed.is_complete);
  REQUIRE(parsed.problems.empty());
  const auto value = [&](const char* pointer) { return place(parsed.values.at(pointer)); };
  const auto key = [&](const char* pointer) { return place(parsed.keys.at(pointer)); };
  REQUIRE(value("") == "1:1");
  REQUIRE(key("/a") == "2:3");
  REQUIRE(value("/a") == "2:8");
  REQUIRE(key("/b~1c~0") == "3:3");
  REQUIRE(value("/b~1c~0") == "3:12");
  REQUIRE(value("/b~1c~0/0") == "3:14");
  REQUIRE(value("/b~1c~0/1") == "3:17");
  REQUIRE(value("/b~1c~0/2") == "4:5");
  REQUIRE(value("/b~1c~0/2/d") == "4:10");
  REQUIRE(value("/b~1c~0/3") == "4:18");
  REQUIRE(value("/é") == "5:8");
  REQUIRE(key("/f") == "5:16");
  REQUIRE(value("/f") == "5:21");
  REQUIRE(parsed.value.dump() == R"({"a":1,"b/c~":[22,"x",{"d":null},[]],"é":-1500.0,"f":{}})");
  for (const auto& [pointer, position] : parsed.values)
    REQUIRE(parsed.value.contains(OrderedJson::json_pointer(pointer)));
}

TEST_CASE("a duplicate key is a problem, and the first value stays", "[positions]") {
  const PositionedJson parsed =
      parse_with_positions("{\"a\": 1,\n \"a\": {\"x\": [1, {\"x\": 2}]},\n \"b\": 3, \"a\": 4}");
  REQUIRE(parsed.is_complete);
  REQUIRE(parsed.value.dump() == R"({"a":1,"b":3})");
  REQUIRE(parsed.problems.size() == 2);
  REQUIRE(parsed.problems[0].line == 2);
  REQUIRE(parsed.problems[0].column == 2);
  REQUIRE(parsed.problems[0].pointer == "/a");
  REQUIRE_THAT(parsed.problems[0].hint, Catch::Matchers::Contains("line 1"));
  REQUIRE(parsed.problems[1].line == 3);
}

TEST_CASE("texts that are not JSON are explained at the right place", "[positions]") {
  const auto [text, problem] = GENERATE(table<std::string, std::string>({
      {"", "1:1 the file is empty"},
      {" \n ", "1:1 the file is empty"},
      {"{", "1:1 the file ends before the \"{\" of line 1 is closed"},
      {"{\n\"a\":[1,2", "2:8 the file ends before the \"[\" of line 2 is closed"},
      {"{\"a\":1,", "1:7 the file ends before the \"{\" of line 1 is closed"},
      {"{\"a\":1,}", "1:7 there is a comma before the closing }"},
      {"[1,\n]", "1:3 there is a comma before the closing ]"},
      {"[1,,2]", "1:4 there is a comma where a value belongs"},
      {"{,}", "1:2 there is a comma where a key belongs"},
      {"{:1}", "1:2 there is a colon where a key belongs"},
      {"{\"a\":NaN}", "1:6 \"NaN\" is not a JSON value"},
      {"{\"a\":-Infinity}", "1:6 \"-Infinity\" is not a JSON value"},
      {"{\"a\": True}", "1:7 \"True\" is not a JSON value"},
      {"{\"a\":tru}", "1:6 \"tru\" is not a JSON value"},
      {"{'a':1}", "1:2 texts stand in double quotes, not single ones"},
      {"{a:1}", "1:2 the key \"a\" stands without double quotes"},
      {"{\"a\" 1}", "1:6 a colon is missing before this"},
      {"{\"a\"}", "1:5 the key before this has no value"},
      {"{\"a\":}", "1:6 the key before this has no value"},
      {"{\"a\":1\n\"b\":2}", "2:1 a comma is missing before this"},
      {"[1 2]", "1:4 a comma is missing before this"},
      {"{\"a\":[1}", "1:8 this } cannot close the \"[\" of line 1"},
      {"{\"a\":1]", "1:7 this ] cannot close the \"{\" of line 1"},
      {"]", "1:1 there is nothing that this ] closes"},
      {"{\"a\":1}}", "1:8 there is text after the end of the document"},
      {"{} x", "1:4 there is text after the end of the document"},
      {std::string("{}\n\0 garbage", 12), "2:1 there is text after the end of the document"},
      {std::string("{\"a\":1}\0", 8), "1:8 there is text after the end of the document"},
      {"// x\n{}", "1:1 JSON has no comments"},
      {"{# x\n}", "1:2 JSON has no comments"},
      {"{\"a\":01}", "1:6 a number starts with 0 only if it is 0 or has a point next"},
      {"{\"a\":.5}", "1:6 \".5\" is not a JSON number"},
      {"{\"a\":+1}", "1:6 \"+1\" is not a JSON number"},
      {"{\"a\":1.}", "1:6 \"1.\" is not a JSON number"},
      {"{\"a\":1e999}", "1:6 this number is too large"},
      {"{\"a\":\"x", "1:6 this text is not closed"},
      {"{\"a\":\"x\n\"}", "1:6 this text is not closed in its line"},
      {"{\"a\":\"x\ty\"}", "1:8 there is a control character within a text"},
      {"{\"a\":\"x\\(y\"}", "1:8 \"\\(\" is not an escape that JSON knows"},
      {"{\"a\":\"\\ud800\"}", "1:13 this \\u escape is not complete"},
      {"{\"a\":\"\xFF\"}", "1:7 this is not UTF-8"},
      {"\xEF\xBB\xBF{}", "1:1 the file starts with a byte order mark"},
      {std::string("\xFF\xFE{\0", 4), "1:1 the file is UTF-16"},
  }));
  CAPTURE(text);
  REQUIRE(only_problem(text) == problem);
}

TEST_CASE("the value is read in spite of a byte order mark, so that its other mistakes show too",
          "[positions]") {
  const PositionedJson parsed = parse_with_positions("\xEF\xBB\xBF{\"a\": 1, \"a\": 2}");
  REQUIRE(parsed.is_complete);
  REQUIRE(parsed.problems.size() == 2);
}

TEST_CASE("deep nesting is refused before it can harm", "[positions]") {
  const std::string open(1'000'000, '[');
  REQUIRE(only_problem(open) == "1:101 this is nested deeper than 100 levels");
  REQUIRE(parse_with_positions(std::string(100, '[') + std::string(100, ']')).is_complete);
}

TEST_CASE("a text cut anywhere yields one problem and no crash", "[positions]") {
  const std::string text = R"({"a": [1, -2.5e-3, {"b": "x\u00e9\n"}], "c": {"d": true, "e": null}, "ü": ""})";
  REQUIRE(parse_with_positions(text).problems.empty());
  for (std::size_t length = 0; length < text.size(); ++length) {
    const PositionedJson parsed = parse_with_positions(text.substr(0, length));
    CAPTURE(length);
    REQUIRE_FALSE(parsed.is_complete);
    REQUIRE(parsed.problems.size() == 1);
    REQUIRE(parsed.problems[0].line == 1);
  }
}

TEST_CASE("any byte put anywhere does no harm", "[positions]") {
  const std::string text = R"({"a": [1, {"b": "x"}], "c": true})";
  for (std::size_t at = 0; at <= text.size(); ++at)
    for (const char byte : std::string("\"\\{}[],:0-.etNx/'\n\xFF\xC3") + '\0') {
      std::string changed = text;
      changed.insert(at, 1, byte);
      const PositionedJson parsed = parse_with_positions(changed);
      REQUIRE(parsed.is_complete != (parsed.problems.size() == 1));
    }
}

// Counted anew from the start of the line for each, this takes minutes.
TEST_CASE("the values of one long line are placed in one pass", "[positions]") {
  std::string text = "{\"é\": [";
  const std::size_t count = 300'000;
  for (std::size_t i = 0; i < count; ++i) text += i == 0 ? "0" : ",0";
  const PositionedJson parsed = parse_with_positions(text + "], \"z\": 1}");
  REQUIRE(parsed.is_complete);
  REQUIRE(place(parsed.values.at("/é/0")) == "1:8");
  REQUIRE(place(parsed.values.at("/é/299999")) == "1:" + std::to_string(8 + 2 * (count - 1)));
  REQUIRE(place(parsed.keys.at("/z")) == "1:" + std::to_string(8 + 2 * (count - 1) + 4));
}

TEST_CASE("a text of any size is read strictly, and its first fault has a place", "[positions]") {
  const std::string text =
      R"({"a": [1, {"b": "x"}, [], -2, 0.5, null], "c": true, "skipped": {"a": [1, {}]}, "d": 3})";
  Json expected = Json::parse(text);
  REQUIRE(parse_strictly(text).value == expected);
  expected["skipped"] = nullptr;
  REQUIRE(parse_strictly(text, "skipped").value == expected);
  const StrictJson twice = parse_strictly("{\"a\": {\"b\": 1,\n \"b\": 2}}");
  REQUIRE(twice.value.is_null());
  REQUIRE_FALSE(twice.fault->is_syntax);
  REQUIRE(place({twice.fault->problem.line, twice.fault->problem.column}) == "2:2");
  REQUIRE(twice.fault->problem.message == "the key \"b\" is there twice");
  REQUIRE(parse_strictly(std::string(100, '[') + std::string(100, ']')).fault == std::nullopt);
  const StrictJson deep = parse_strictly(std::string(300'000, '[') + std::string(300'000, ']'));
  REQUIRE(deep.fault->problem.message == "this is nested deeper than 100 levels");
  REQUIRE_FALSE(parse_strictly("{\"skipped\": " + std::string(300'000, '['), "skipped").fault->is_syntax);
}

TEST_CASE("only an empty spec is told how a spec starts", "[positions]") {
  REQUIRE_THAT(parse_with_positions("").problems.at(0).hint,
               Catch::Matchers::Contains("a spec starts with {"));
  REQUIRE(parse_strictly("").fault->problem.message == "the file is empty");
  REQUIRE(parse_strictly("").fault->problem.hint.empty());
  REQUIRE(parse_with_positions("", "line").problems.at(0).hint.empty());
}

TEST_CASE("a strict reader finds the fault that the reader with positions finds", "[positions]") {
  const std::string text = R"({"a": [1, {"b": "x"}], "c": true})";
  for (std::size_t at = 0; at <= text.size(); ++at)
    for (const char byte : std::string("\"\\{}[],:0-.etNx/'\n\xFF\xC3") + '\0') {
      std::string changed = text;
      changed.insert(at, 1, byte);
      const PositionedJson parsed = parse_with_positions(changed);
      const StrictJson strict = parse_strictly(changed);
      REQUIRE(strict.fault.has_value() == !parsed.problems.empty());
      if (!strict.fault) continue;
      REQUIRE(strict.fault->problem.message == parsed.problems[0].message);
      REQUIRE(strict.fault->problem.line == parsed.problems[0].line);
      REQUIRE(strict.fault->problem.column == parsed.problems[0].column);
    }
}

TEST_CASE("an earlier place is found again after a later one", "[positions]") {
  LineTable lines("abc\ndef");
  REQUIRE(place(lines.at(6)) == "2:3");
  REQUIRE(place(lines.at(1)) == "1:2");
  REQUIRE(place(lines.at(2)) == "1:3");
  REQUIRE(place(lines.at(4)) == "2:1");
}
