#include "tuner/core/number_text.h"

#include <limits>

#include "support/catch.h"

using namespace tune;

TEST_CASE("numbers are shown with six digits and in few characters") {
  CHECK(number_text(9.999999999999991e-05) == "1e-04");
  CHECK(number_text(0.1 + 0.2) == "0.3");
  CHECK(number_text(2.08723456789e-05) == "2.08723e-05");
  CHECK(number_text(0.000456024) == "0.000456024");
  CHECK(number_text(100000) == "100000");
  CHECK(number_text(0.001) == "0.001");
  CHECK(number_text(0) == "0");
  CHECK(number_text(-0.0001) == "-1e-04");
  CHECK(number_text(-std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("what a number shows is a number again") {
  CHECK(rounded_for_people(0.1 + 0.2) == 0.3);
  CHECK(rounded_for_people(123456789) == 123457000);
}

TEST_CASE("the whole of a text is a finite number, or none") {
  CHECK(finite_number_in("-1.5e-3") == -1.5e-3);
  for (const char* text : {"", "1 ", "+1", "1x", "nan", "inf", "1e999"}) CHECK_FALSE(finite_number_in(text));
}

TEST_CASE("memory is told in GiB") { CHECK(gib_text(std::uint64_t{5} << 29) == "2.5 GiB"); }
