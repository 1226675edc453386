#include "strategies/dense_algebra.h"

#include <Eigen/Dense>

#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

Eigen::MatrixXd positive_definite(Eigen::Index n, std::uint64_t seed) {
  const Eigen::MatrixXd a = uniform_matrix(n, n, seed);
  return a * a.transpose() + static_cast<double>(n) * Eigen::MatrixXd::Identity(n, n);
}

double largest(const Eigen::MatrixXd& m) { return m.cwiseAbs().maxCoeff(); }

}  // namespace

TEST_CASE("the dense kernels have the textbook's kernel and its derivative, in whole and in half") {
  const Eigen::Index n = GENERATE(1, 7, 256, 300);
  const Eigen::MatrixXd a = 2 * uniform_matrix(n, 5, 1), b = 2 * uniform_matrix(9, 5, 2);
  const std::vector<Eigen::Index> groups{0, 0, 0, 0, 0};
  const Eigen::VectorXd one = Eigen::VectorXd::Ones(1);
  Eigen::MatrixXd k(n, 9), slope(n, 9), half = Eigen::MatrixXd::Zero(n, n);
  Matrix slope_part(slope);
  matern52(a, b, 1.7, false, k, &slope_part);
  CHECK(largest(k - plain_covariance(a, b, one, groups, 1.7)) < 1e-13);
  matern52(a, a, 1.7, true, half, nullptr);
  const Eigen::MatrixXd lower = plain_covariance(a, a, one, groups, 1.7).triangularView<Eigen::Lower>();
  CHECK(largest(half - lower) < 1e-13);
  // The derivative by the squared distance.
  constexpr double kStep = 1e-6;
  for (Eigen::Index i = 0; i < std::min<Eigen::Index>(n, 5); ++i) {
    const double squared = (a.row(i) - b.row(0)).squaredNorm();
    const auto kernel = [](double r2) {
      const double t = std::sqrt(5 * r2);
      return 1.7 * (1 + t + t * t / 3) * std::exp(-t);
    };
    const double difference = (kernel(squared + kStep) - kernel(squared - kStep)) / (2 * kStep);
    CHECK(slope(i, 0) == Approx(difference).epsilon(1e-6));
  }
}

TEST_CASE(
    "the dense kernels factor, solve, invert and multiply as dense algebra does, at every size around its "
    "blocks") {
  const Eigen::Index n = GENERATE(1, 2, 31, 32, 33, 64, 65, 130, 200);
  const Eigen::MatrixXd spd = positive_definite(n, 5);
  Eigen::MatrixXd lower = spd;
  lower.triangularView<Eigen::StrictlyUpper>().setConstant(std::nan(""));  // not to be read
  REQUIRE(cholesky(lower));
  const Eigen::MatrixXd clean = lower.triangularView<Eigen::Lower>();
  CHECK(largest(clean * clean.transpose() - spd) < 1e-10 * static_cast<double>(n));
  for (const Eigen::Index columns : {1, 2, 5, 40}) {
    const Eigen::MatrixXd b = uniform_matrix(n, columns, 6);
    Eigen::MatrixXd x = b;
    solve_lower(lower, x);
    CHECK(largest(clean * x - b) < 1e-11);
    x = b;
    solve_lower_transposed(lower, x);
    CHECK(largest(clean.transpose() * x - b) < 1e-11);
  }
  Eigen::MatrixXd copy = lower, inverse(n, n);
  invert_from_cholesky(copy, inverse);
  const Eigen::MatrixXd symmetric = inverse.selfadjointView<Eigen::Lower>();
  CHECK(largest(symmetric - spd.inverse()) < 1e-12);
  const Eigen::MatrixXd a = uniform_matrix(n, 16, 7), b = uniform_matrix(n, 3, 8);
  Eigen::MatrixXd c(16, 3);
  transposed_product(a, b, c);
  CHECK(largest(c - a.transpose() * b) < 1e-11);
  Eigen::MatrixXd corner = Eigen::MatrixXd::Identity(3, 3);
  downdate(corner, b);
  const Eigen::MatrixXd expected = Eigen::MatrixXd::Identity(3, 3) - b.transpose() * b;
  CHECK(largest((corner - expected).triangularView<Eigen::Lower>()) < 1e-11);
}

TEST_CASE("the dense kernels work on a part of a larger matrix and leave the rest alone") {
  Eigen::MatrixXd large = Eigen::MatrixXd::Constant(60, 60, 7.0);
  large.block(3, 5, 40, 40) = positive_definite(40, 9);
  const Eigen::MatrixXd before = large;
  auto part = large.block(3, 5, 40, 40);
  REQUIRE(cholesky(part));
  const Eigen::MatrixXd lower = part.triangularView<Eigen::Lower>();
  CHECK(largest(lower * lower.transpose() - before.block(3, 5, 40, 40)) < 1e-10);
  large.block(3, 5, 40, 40) = before.block(3, 5, 40, 40);
  CHECK(large == before);
}

TEST_CASE("the dense kernels refuse a matrix that is not positive definite") {
  Eigen::MatrixXd indefinite = positive_definite(50, 10);
  indefinite(40, 40) = -1;
  CHECK_FALSE(cholesky(indefinite));
}

TEST_CASE("the dense kernels sum up a likelihood's gradient as loops over all pairs do") {
  const Eigen::Index n = 280;
  const Eigen::MatrixXd z = uniform_matrix(n, 3, 11), covariance = positive_definite(n, 12),
                        slope = positive_definite(n, 13), inverse = positive_definite(n, 14);
  const Eigen::VectorXd alpha = uniform_matrix(n, 1, 15).col(0);
  double signal = 0, trace = 0;
  Eigen::VectorXd expected = Eigen::VectorXd::Zero(3), found = expected;
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      const double w = alpha[i] * alpha[j] - inverse(i, j);
      signal += w * covariance(i, j);
      if (i == j) trace += w;
      expected += w * slope(i, j) * (z.row(i) - z.row(j)).cwiseAbs2().transpose();
    }
  }
  const LikelihoodSums sums = likelihood_sums(inverse, covariance, slope, alpha.array(), z, found);
  CHECK(sums.signal == Approx(signal).epsilon(1e-10));
  CHECK(sums.trace == Approx(trace).epsilon(1e-10));
  CHECK((found - expected).norm() < 1e-10 * expected.norm());
}

TEST_CASE("the dense kernels sum up a mixture of normals as a plain loop does") {
  const Eigen::Index n = GENERATE(0, 1, 255, 256, 600);
  const Eigen::MatrixXd points = uniform_matrix(n, 3, 16);
  const Eigen::Vector3d x(0.2, 0.9, 0.4), scale(30, 5, 200);
  const Eigen::VectorXd factors = -10 * uniform_matrix(n, 1, 17).rowwise().sum();
  double sum = std::exp(-3.0);
  for (Eigen::Index i = 0; i < n; ++i)
    sum += std::exp(factors[i] - scale.dot((points.row(i).transpose() - x).cwiseAbs2()));
  Eigen::ArrayXd logs = factors.array();
  CHECK(log_mixture(points, x, scale, -3, logs) == Approx(std::log(sum)).epsilon(1e-12));
}
