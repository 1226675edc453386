#include "tuner/core/quantile.h"

#include <cmath>
#include <limits>

#include "support/catch.h"

using namespace tune;

TEST_CASE("a quantile lies between its neighbours in proportion") {
  const std::vector<double> values{1, 2, 4, 8};
  CHECK(quantile(values, 0) == 1);
  CHECK(quantile(values, 1) == 8);
  CHECK(quantile(values, 0.5) == 3);
  CHECK(quantile(values, 0.25) == 1.75);
  CHECK(quantile({5}, 0.3) == 5);
  CHECK(std::isnan(quantile({}, 0.5)));
}

TEST_CASE("a median takes values in any order, the largest numbers and infinities") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(),
                   kLargest = std::numeric_limits<double>::max();
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 3, 2}) == 2.5);
  CHECK(median({kLargest, kLargest, kLargest, 1}) == kLargest);
  CHECK(median({kInfinity, kInfinity, 1, 2}) == kInfinity);
  CHECK(median({kInfinity, kInfinity}) == kInfinity);
  CHECK(median({-kInfinity, 0, kInfinity}) == 0);
}
