#include "strategies/gaussian_process.h"

#include <Eigen/Dense>

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

TEST_CASE("A singular covariance is factored with a jitter that hardly changes it") {
  const Eigen::MatrixXd ones = Eigen::MatrixXd::Ones(50, 50);
  const auto lower = robust_cholesky(ones);
  REQUIRE(lower.has_value());
  CHECK((*lower * lower->transpose() - ones).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("What no jitter mends is refused instead of factored") {
  CHECK_FALSE(robust_cholesky(-Eigen::MatrixXd::Identity(3, 3)).has_value());
  Eigen::MatrixXd poisoned = Eigen::MatrixXd::Identity(3, 3);
  poisoned(1, 1) = std::nan("");
  CHECK_FALSE(robust_cholesky(poisoned).has_value());
  CHECK(robust_cholesky(Eigen::MatrixXd(0, 0)).has_value());
}
