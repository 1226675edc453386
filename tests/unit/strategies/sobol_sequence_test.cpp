#include "strategies/sobol_sequence.h"

#include <set>
#include <utility>

#include "strategies/sobol_directions.h"
#include "support/catch.h"

using tune::strategies::SobolSequence;

TEST_CASE("The unscrambled sequence has the published values, in natural order") {
  // From scipy.stats.qmc.Sobol(256, scramble=False), which reads the same direction numbers, reordered from
  // Gray code.
  const std::vector<std::pair<std::size_t, std::vector<double>>> published = {
      {0,
       {0.0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875, 0.0625, 0.5625, 0.3125, 0.8125, 0.1875, 0.6875,
        0.4375, 0.9375}},
      {1,
       {0.0, 0.5, 0.75, 0.25, 0.625, 0.125, 0.375, 0.875, 0.9375, 0.4375, 0.1875, 0.6875, 0.3125, 0.8125,
        0.5625, 0.0625}},
      {2,
       {0.0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125, 0.5625, 0.0625, 0.3125, 0.8125, 0.9375, 0.4375,
        0.1875, 0.6875}},
      {7,
       {0.0, 0.5, 0.25, 0.75, 0.625, 0.125, 0.875, 0.375, 0.3125, 0.8125, 0.0625, 0.5625, 0.9375, 0.4375,
        0.6875, 0.1875}},
      {63,
       {0.0, 0.5, 0.25, 0.75, 0.375, 0.875, 0.125, 0.625, 0.8125, 0.3125, 0.5625, 0.0625, 0.6875, 0.1875,
        0.9375, 0.4375}},
      {255,
       {0.0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875, 0.3125, 0.8125, 0.0625, 0.5625, 0.4375, 0.9375,
        0.1875, 0.6875}}};
  const SobolSequence sequence(256, 1);
  for (const auto& [dimension, values] : published)
    for (std::uint32_t i = 0; i < values.size(); ++i)
      CHECK(static_cast<double>(sequence.raw(dimension, i)) * 0x1p-32 == values[i]);
}

TEST_CASE("Every row of direction numbers is odd and below its power of two") {
  const auto rows = tune::strategies::sobol_directions();
  REQUIRE(rows.size() == SobolSequence::kTabulated - 1);
  for (const auto& row : rows) {
    REQUIRE(row.degree <= row.initial.size());
    for (std::uint32_t i = 0; i < row.degree; ++i) {
      CHECK(row.initial[i] % 2 == 1);
      CHECK(row.initial[i] < (2u << i));
    }
  }
}

TEST_CASE("2^m scrambled points put one into each elementary interval of the first two dimensions") {
  const std::uint64_t seed = GENERATE(1u, 99u);
  const SobolSequence sequence(2, seed);
  for (int m = 0; m <= 9; ++m) {
    for (int first = 0; first <= m; ++first) {
      std::set<std::pair<int, int>> boxes;
      for (std::uint32_t i = 0; i < (1u << m); ++i) {
        const auto p = sequence.point(i);
        boxes.emplace(static_cast<int>(p[0] * (1 << first)), static_cast<int>(p[1] * (1 << (m - first))));
      }
      CHECK(boxes.size() == std::size_t{1} << m);
    }
  }
}

TEST_CASE("2^m scrambled points are evenly spread in every dimension on its own") {
  const SobolSequence sequence(256, 5);
  constexpr std::uint32_t kPoints = 64;
  std::vector<std::set<int>> cells(256);
  for (std::uint32_t i = 0; i < kPoints; ++i) {
    const auto p = sequence.point(i);
    for (std::size_t d = 0; d < p.size(); ++d) {
      REQUIRE((p[d] >= 0 && p[d] < 1));
      cells[d].insert(static_cast<int>(p[d] * kPoints));
    }
  }
  for (const auto& seen : cells) CHECK(seen.size() == kPoints);
}

TEST_CASE("A point depends on its index and the seed alone") {
  const SobolSequence one(3, 7), other(3, 8);
  const auto late = one.point(1000);
  CHECK(SobolSequence(3, 7).point(1000) == late);
  CHECK(other.point(1000) != late);
  CHECK(SobolSequence(5, 7).point(1000)[2] == late[2]);
}

TEST_CASE("Dimensions past the table are uniform and differ from each other") {
  const SobolSequence sequence(260, 7);
  double sum = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const auto p = sequence.point(i);
    REQUIRE(p.size() == 260);
    CHECK(p[257] != p[258]);
    sum += p[259];
  }
  CHECK(sum / 1000 == Approx(0.5).margin(0.04));
}
