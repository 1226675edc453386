#include "tuner/core/rng.h"

#include <cmath>
#include <set>
#include <vector>

#include "support/catch.h"

using namespace tune;

TEST_CASE("xoshiro256** seeded by SplitMix64 gives the reference's numbers", "[rng]") {
  // From an independent implementation in exact integer arithmetic of the authors' C code (prng.di.unimi.it).
  Rng rng(42);
  REQUIRE(rng() == 1546998764402558742ULL);
  REQUIRE(rng() == 6990951692964543102ULL);
  REQUIRE(rng() == 12544586762248559009ULL);
}

TEST_CASE("the same seed gives the same numbers, and each stream its own", "[rng]") {
  Rng a(7, 3), b(7, 3), other_stream(7, 4), other_seed(8, 3), swapped(3, 7), plain(7);
  const std::uint64_t first = a();
  REQUIRE(first == b());
  const std::set<std::uint64_t> firsts{first, other_stream(), other_seed(), swapped(), plain()};
  REQUIRE(firsts.size() == 5);
}

TEST_CASE("uniform numbers fill [0, 1) evenly", "[rng]") {
  Rng rng(1);
  std::vector<int> bins(10);
  for (int i = 0; i < 100'000; ++i) {
    const double u = rng.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    ++bins[static_cast<std::size_t>(u * 10)];
  }
  // Standard deviation of a bin is 95; five of them.
  for (const int count : bins) REQUIRE(std::abs(count - 10'000) < 475);
}

TEST_CASE("normal numbers have mean 0, variance 1, no skew and the normal's kurtosis", "[rng]") {
  Rng rng(2);
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  constexpr int kCount = 200'000;
  for (int i = 0; i < kCount; ++i) {
    const double x = rng.normal();
    REQUIRE(std::isfinite(x));
    sum += x, squares += x * x, cubes += x * x * x, fourths += x * x * x * x;
  }
  REQUIRE(sum / kCount == Approx(0).margin(0.012));
  REQUIRE(squares / kCount == Approx(1).margin(0.016));
  REQUIRE(cubes / kCount == Approx(0).margin(0.045));
  REQUIRE(fourths / kCount == Approx(3).margin(0.12));
}

TEST_CASE("below() reaches every number under its bound and none beyond", "[rng]") {
  Rng rng(3);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts.at(rng.below(7));
  for (const int count : counts) REQUIRE(std::abs(count - 10'000) < 475);
  REQUIRE(rng.below(1) == 0);
  // Two thirds of 2^64: a plain remainder would give the lower half twice as often.
  const std::uint64_t bound = ~std::uint64_t{0} / 3 * 2;
  int lower = 0;
  for (int i = 0; i < 10'000; ++i) lower += rng.below(bound) < bound / 2 ? 1 : 0;
  REQUIRE(std::abs(lower - 5'000) < 250);
}

TEST_CASE("seeds from the system survive JSON, and tokens are 32 hexadecimal digits", "[rng]") {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(entropy_seed() <= (std::uint64_t{1} << 53) - 1);
    const std::string token = random_token();
    REQUIRE(token.size() == 32);
    REQUIRE(token.find_first_not_of("0123456789abcdef") == std::string::npos);
    tokens.insert(token);
  }
  REQUIRE(tokens.size() == 100);
}
