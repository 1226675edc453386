#include "strategies/front_order.h"

#include <algorithm>

#include "support/catch.h"

using namespace tune;
using namespace tune::strategies;

TEST_CASE("results of two objectives go front after front, and a front in part by what its points add") {
  // The first front is the first five, of which the ends and the middle dominate most; the others are behind
  // it.
  const std::vector<LossPair> points{{0, 10}, {4.9, 5.2}, {5, 5}, {5.2, 4.9}, {10, 0}, {6, 6}, {11, 11}};
  CHECK(best_by_fronts(points, 5) == std::vector<std::size_t>{0, 1, 2, 3, 4});
  std::vector<std::size_t> three = best_by_fronts(points, 3);
  std::sort(three.begin(), three.end());
  CHECK(three == std::vector<std::size_t>{0, 2, 4});
  CHECK(best_by_fronts(points, 6).back() == 5);
  CHECK(best_by_fronts(points, 100).size() == points.size());
  CHECK(best_by_fronts({}, 3).empty());
}

TEST_CASE("the order of results does not depend on the scales of the objectives") {
  const std::vector<LossPair> points{{0, 10}, {4.9, 5.2}, {5, 5}, {5.2, 4.9}, {8, 1}};
  std::vector<LossPair> scaled = points;
  for (LossPair& point : scaled) point = {point[0] * 1e300, point[1] * 1e-9 - 7};
  CHECK(best_by_fronts(points, 2) == best_by_fronts(scaled, 2));
}
