#include "tuner/core/json.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "support/catch.h"
#include "tuner/core/rng.h"

using namespace tune;

TEST_CASE("numbers print as the shortest text that reads back the same", "[json]") {
  REQUIRE(shortest(0.001) == "0.001");
  REQUIRE(shortest(1e-5) == "1e-05");
  REQUIRE(shortest(3) == "3");
  REQUIRE(shortest(-0.0) == "-0");
  REQUIRE(shortest(0.1 + 0.2) == "0.30000000000000004");
  REQUIRE(shortest(std::nan("")) == "nan");
  REQUIRE(shortest(-HUGE_VAL) == "-inf");
  Rng rng(5);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t bits = rng();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (std::isfinite(number)) REQUIRE(std::strtod(shortest(number).c_str(), nullptr) == number);
  }
}

TEST_CASE("values enter an argument without quotes and without loss", "[json]") {
  REQUIRE(argument_text("a \"b\"") == "a \"b\"");
  REQUIRE(argument_text(0.0003) == shortest(0.0003));
  REQUIRE(argument_text(64) == "64");
  REQUIRE(argument_text(std::int64_t{9007199254740993}) == "9007199254740993");
  REQUIRE(argument_text(true) == "true");
  REQUIRE(argument_text(nullptr) == "null");
  REQUIRE(argument_text(Json::parse(R"([1, {"a": 0.5}])")) == R"([1,{"a":0.5}])");
}

TEST_CASE("non-finite numbers travel through JSON", "[json]") {
  const double infinity = std::numeric_limits<double>::infinity();
  REQUIRE(number_to_json(infinity) == "Infinity");
  REQUIRE(number_to_json(-infinity) == "-Infinity");
  REQUIRE(number_to_json(std::nan("")) == "NaN");
  REQUIRE(number_to_json(0.5) == 0.5);
  REQUIRE(number_from_json(number_to_json(infinity)) == infinity);
  REQUIRE(number_from_json(number_to_json(-infinity)) == -infinity);
  REQUIRE(std::isnan(number_from_json(number_to_json(std::nan("")))));
  REQUIRE(number_from_json(Json(3)) == 3);
}

TEST_CASE("what is not a number does not become one", "[json]") {
  const Json json = GENERATE(Json("nan"), Json("0.5"), Json(), Json(true), Json::array({1}));
  REQUIRE_THROWS_AS(number_from_json(json), std::invalid_argument);
}

TEST_CASE("a negative number by itself has no exponent, and reads back the same", "[json]") {
  CHECK(positional_text(-2.08723e-05) == "-0.0000208723");
  CHECK(positional_text(-1e20) == "-100000000000000000000");
  CHECK(positional_text(1e-05) == "1e-05");
  CHECK(positional_text(-3) == "-3");
  CHECK(positional_text("-1e-05") == "-1e-05");
  Rng rng(6);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t bits = rng() | (std::uint64_t{1} << 63);
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    const std::string text = positional_text(number);
    REQUIRE(text.find_first_not_of("-0123456789.") == std::string::npos);
    REQUIRE(std::strtod(text.c_str(), nullptr) == number);
  }
  CHECK(std::strtod(positional_text(-5e-324).c_str(), nullptr) == -5e-324);
}
