#include "strategies/normal_distribution.h"

#include <cmath>

#include "support/catch.h"

using namespace tune::strategies;

TEST_CASE("The logarithm of expected improvement and its slope are accurate far into the tail") {
  struct Row {
    double u, value, slope;
  };
  // mpmath, 60 digits.
  const Row rows[] = {
      {-1e6, -500000000028.54996, 1000000.000002},     {-50, -1258.7441828684609, 50.039952133872655},
      {-20, -206.9178385094251, 20.099262811101282},   {-10.5, -60.773083700673941, 10.685595714219763},
      {-9.5, -50.578559393519755, 9.7040186599635129}, {-5, -16.74430116266099, 5.3618162412880885},
      {-1.5, -3.5299359208057099, 2.2795806941564462}, {-0.5, -1.6205162643873199, 1.5598731483480797},
      {0, -0.91893853320467274, 1.2533141373155003},   {1, 0.08002621884930694, 0.77663872520173926},
      {8, 2.0794415416798359, 0.12499999999999992}};
  for (const Row& row : rows) {
    INFO(row.u);
    CHECK(log_improvement(row.u).value == Approx(row.value).epsilon(1e-11).margin(1e-14));
    CHECK(log_improvement(row.u).slope == Approx(row.slope).epsilon(1e-10));
  }
}

TEST_CASE("The slope of log improvement is its derivative") {
  for (double u = -40; u < 10; u += 0.37) {
    const double h = 1e-5 * std::max(1.0, std::abs(u));
    const double difference = (log_improvement(u + h).value - log_improvement(u - h).value) / (2 * h);
    CHECK(log_improvement(u).slope == Approx(difference).epsilon(1e-6));
  }
}

TEST_CASE("The normal quantile inverts the cumulative distribution") {
  for (double u = -8; u <= 5; u += 0.05)
    CHECK(normal_quantile(normal_cumulative(u)) == Approx(u).margin(1e-9));
  CHECK(normal_quantile(0.975) == Approx(1.9599639845400545).epsilon(1e-14));
  CHECK(normal_quantile(1e-12) == Approx(-7.0344838253011322).epsilon(1e-13));
}

TEST_CASE("The logarithm of the cumulative distribution and its slope are accurate far into the tail") {
  for (double u = -30; u < 6; u += 0.31) {
    const double h = 1e-5 * std::max(1.0, std::abs(u));
    const double difference = (log_cumulative(u + h).value - log_cumulative(u - h).value) / (2 * h);
    CHECK(log_cumulative(u).slope == Approx(difference).epsilon(1e-6).margin(1e-12));
    CHECK(log_cumulative(u).value == Approx(std::log(normal_cumulative(u))).epsilon(1e-12).margin(1e-15));
  }
  CHECK(log_cumulative(-1000).value == Approx(-500007.82669481216).epsilon(1e-13));
}
