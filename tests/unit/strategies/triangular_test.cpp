#include "strategies/triangular.h"

#include <Eigen/Dense>

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::test;

TEST_CASE("The recursive inverse agrees with the dense one at every size around its blocks") {
  for (const Eigen::Index n : {1, 2, 31, 32, 33, 64, 65, 130}) {
    Eigen::MatrixXd spd = uniform_matrix(n, n, 5);
    spd = (spd * spd.transpose()).eval() + static_cast<double>(n) * Eigen::MatrixXd::Identity(n, n);
    const Eigen::MatrixXd lower = Eigen::LLT<Eigen::MatrixXd>(spd).matrixL();
    INFO(n);
    CHECK((invert_lower(lower) * lower - Eigen::MatrixXd::Identity(n, n)).cwiseAbs().maxCoeff() < 1e-10);
    CHECK((inverse_from_factor(lower) - spd.inverse()).cwiseAbs().maxCoeff() < 1e-10);
  }
}

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
