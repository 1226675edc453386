// Against scipy.stats.spearmanr 1.18.
#include "trainer/metrics/rank_correlation.h"

#include "support/catch.h"

using namespace tune::trainer::metrics;

TEST_CASE("Spearman's correlation is that of the ranks, equal values sharing theirs") {
  const std::vector<double> a{1, 2, 3, 4, 5}, b{5, 6, 7, 8, 7};
  CHECK(spearman(a, b) == Approx(0.8207826816681233));
  const std::vector<double> c{2, 2, 1, 3, 3, 3, 0}, d{1, 4, 4, 9, 2, 2, 2};
  CHECK(spearman(c, d) == Approx(spearman(d, c)));
  CHECK(spearman(c, c) == Approx(1));
  const std::vector<double> up{1, 10, 100}, down{3, 2, 1}, flat{4, 4, 4};
  CHECK(spearman(up, down) == Approx(-1));
  CHECK(spearman(up, flat) == 0);
  CHECK(spearman({}, {}) == 0);
}

TEST_CASE("classes that are numbers correlate by them, and others do not") {
  CHECK(class_values({"1", "2.5", "-3"}) == std::vector<double>{1, 2.5, -3});
  CHECK(class_values({"1", "two"}).empty());
  CHECK(class_values({"nan", "1"}).empty());
  const std::vector<Labels> said{{0}, {1}, {2}};
  // The classes' order is not that of their numbers.
  CHECK(*rank_correlation({{"10", "5", "7"}, {{0}, {1}, {2}}, false}, said) == Approx(1));
  CHECK(*rank_correlation({{"10", "5", "7"}, {{0}, {2}, {1}}, false}, said) == Approx(0.5));
  CHECK_FALSE(rank_correlation({{"a", "b", "c"}, {{0}, {1}, {2}}, false}, said));
  CHECK_FALSE(rank_correlation({{"1", "2", "3"}, {{0}, {1}, {2}}, true}, said));
}
