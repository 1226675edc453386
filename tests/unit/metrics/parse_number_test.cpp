#include <cmath>
#include <limits>

#include "support/catch.h"
#include "tuner/metrics/parse_number.h"

using tune::metrics::parse_number;

TEST_CASE("decimal and exponent forms are numbers") {
  CHECK(parse_number("0.226400") == 0.2264);
  CHECK(parse_number("12") == 12.0);
  CHECK(parse_number("-3.5") == -3.5);
  CHECK(parse_number("+3.5") == 3.5);
  CHECK(parse_number(".5") == 0.5);
  CHECK(parse_number("5.") == 5.0);
  CHECK(parse_number("1e-05") == 1e-5);
  CHECK(parse_number("1E3") == 1000.0);
  CHECK(parse_number(" 7\t") == 7.0);
}

TEST_CASE("nan and infinities are read in any case and with a sign") {
  for (const char* text : {"nan", "NaN", "NAN", "-nan"}) {
    INFO(text);
    const auto value = parse_number(text);
    REQUIRE(value);
    CHECK(std::isnan(*value));
  }
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(parse_number("inf") == infinity);
  CHECK(parse_number("Infinity") == infinity);
  CHECK(parse_number("-INF") == -infinity);
}

TEST_CASE("a number that no double holds becomes infinity or zero") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(parse_number("1e999") == infinity);
  CHECK(parse_number("-1e999") == -infinity);
  CHECK(parse_number("1e-999") == 0.0);
  CHECK(parse_number(std::string(400, '9')) == infinity);
  CHECK(parse_number("0." + std::string(400, '0') + "1") == 0.0);
}

TEST_CASE("other texts are no numbers") {
  for (const char* text : {"", " ", "(0.52)", "0.5,", "abc", "--1", "+-1", "0x10", "1.2.3", "nan(1)",
                           "infinit", "e5", "-", ".", "1 2"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text));
  }
}
