#include "tuner/import/script/python_calls.h"

#include "support/catch.h"

namespace tune::script {
namespace {

OrderedJson literal(const std::string& source) {
  const std::vector<Token> tokens = tokens_of(source);
  return literal_of(tokens).value_or("not a literal");
}

std::vector<std::string> texts_of(const std::string& source) {
  std::vector<std::string> texts;
  for (const Token& token : tokens_of(source)) texts.push_back(token.text);
  return texts;
}

TEST_CASE("literals of Python are read as their values") {
  CHECK(literal("1e-3") == 1e-3);
  CHECK(literal("10_000") == 10000);
  CHECK(literal("10_000").is_number_integer());
  CHECK(literal(".5") == 0.5);
  CHECK(literal("5.").is_number_float());
  CHECK(literal("0x1F") == 31);
  CHECK(literal("-3") == -3);
  CHECK(literal("2 ** 10") == 1024);
  CHECK(literal("2 ** -1") == 0.5);
  CHECK(literal("-2 ** 2") == -4);
  CHECK(literal("1 + 2 * 3 - 4 / 2") == 5.0);
  CHECK(literal("7 // 2") == 3);
  CHECK(literal("32 * 4").is_number_integer());
  CHECK(literal("(1)") == 1);
  CHECK(literal("(1,)") == OrderedJson{1});
  CHECK(literal("[1, 'a', None, True, (2, 3),]") == OrderedJson::parse(R"([1, "a", null, true, [2, 3]])"));
  CHECK(literal("{'a', 'b'}") == OrderedJson{"a", "b"});
  CHECK(literal("'a' \"b\" r'\\d' '''c'''") == "ab\\dc");
  CHECK(literal("f'plain'") == "plain");
  CHECK(literal("'it\\'s\\t\\x41'") == "it's\tA");
  for (const char* other : {"x", "f'{x}'", "a.b", "f(1)", "1 / 0", "2 ** 5000", "lambda x: 1", "[1, x]",
                            "{'a': 1}", "", "1 if x else 2", "0b11", "1e999", "-'a'", "[1", "not True"}) {
    INFO(other);
    CHECK(literal(other) == "not a literal");
  }
}

TEST_CASE("texts end where Python ends them") {
  CHECK(texts_of("'a' # 'b'\n'c'") == std::vector<std::string>{"a", "c"});
  CHECK(texts_of("'''a\n'b' \"\"\" c'''x") == std::vector<std::string>{"a\n'b' \"\"\" c", "x"});
  CHECK(texts_of("f'{d[\"x\"]} {{not}}' y") == std::vector<std::string>{"{d[\"x\"]} {{not}}", "y"});
  CHECK(texts_of("f\"{d[\"x}\"]}\" y") == std::vector<std::string>{"{d[\"x}\"]}", "y"});
  CHECK(texts_of("'open\nnext") == std::vector<std::string>{"open", "next"});
  CHECK(texts_of("rb'\\' x'") == std::vector<std::string>{"\\' x"});
  CHECK(texts_of("'a\\\nb'") == std::vector<std::string>{"ab"});
  CHECK(tokens_of("'''\n\n''' x # y\n z").back().line == 4);
  CHECK(tokens_of("'a\\\nb' z").back().line == 2);
}

TEST_CASE("calls are found with what they are called on and what they are given") {
  constexpr std::array<std::string_view, 2> kNames{"f", "g"};
  const std::vector<Token> tokens =
      tokens_of("def f(x): pass\na.b.f(1, k=[2, 3], *rest, **more)\nh(g(x == 1))\nmake().f(\n'open'");
  const std::vector<Call> calls = calls_of(tokens, kNames);
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].receiver == "a.b");
  REQUIRE(calls[0].arguments.size() == 4);
  CHECK(text_of(calls[0].find("k")->value) == "[2, 3]");
  CHECK(calls[0].find("*") != nullptr);
  CHECK(text_of(calls[0].find("**")->value) == "more");
  CHECK(calls[1].line == 3);
  CHECK(calls[1].receiver.empty());
  CHECK(text_of(calls[1].positional().at(0)) == "x==1");
  CHECK(calls[2].receiver == "?");
  CHECK_FALSE(calls[2].is_closed);
}

}  // namespace
}  // namespace tune::script
