#include "strategies/expected_hypervolume_improvement.h"

#include <Eigen/Dense>
#include <cmath>

#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune;
using namespace tune::strategies;
using namespace tune::tests;

namespace {

struct Pair {
  GaussianProcess first, second;
};

GaussianProcess process_of(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, double noise, double length) {
  GaussianProcess process(Kernel(Eigen::Vector2d(length, 0.6), 1.2, {0, 1}));
  REQUIRE(process.append(x, Eigen::VectorXd::Constant(x.rows(), noise)));
  process.set_targets(y);
  return process;
}

Pair fitted(const Eigen::MatrixXd& x, double noise) {
  return {process_of(x, wavy_targets(x, 2), noise, 0.35), process_of(x, -wavy_targets(x, 3), noise, 0.5)};
}

}  // namespace

TEST_CASE("The gradient of expected hypervolume improvement agrees with central differences") {
  const double noise = GENERATE(1e-4, 0.1);
  const Eigen::MatrixXd x = uniform_matrix(20, 2, 1);
  Pair pair = fitted(x, noise);
  Eigen::MatrixXd baseline(7, 2);
  baseline << x.topRows(5), uniform_matrix(2, 2, 3);
  const auto improvement =
      ExpectedHypervolumeImprovement::make(pair.first, pair.second, baseline, {1.5, 1.5}, 4);
  REQUIRE(improvement.has_value());
  const Eigen::MatrixXd at = uniform_matrix(12, 2, 5);
  for (Eigen::Index i = 0; i < at.rows(); ++i) {
    const Eigen::VectorXd point = at.row(i).transpose();
    Eigen::VectorXd gradient, unused;
    improvement->value(point, gradient);
    for (Eigen::Index f = 0; f < 2; ++f) {
      constexpr double kStep = 1e-6;
      Eigen::VectorXd up = point, down = point;
      up[f] += kStep;
      down[f] -= kStep;
      const double difference =
          (improvement->value(up, unused) - improvement->value(down, unused)) / (2 * kStep);
      CHECK(gradient[f] == Approx(difference).epsilon(1e-4).margin(1e-4));
    }
  }
}

TEST_CASE("Expected hypervolume improvement scores many points at once as it does each") {
  const Eigen::MatrixXd x = uniform_matrix(15, 2, 1);
  Pair pair = fitted(x, 0.01);
  const auto improvement = ExpectedHypervolumeImprovement::make(pair.first, pair.second, x, {1, 1}, 4);
  REQUIRE(improvement.has_value());
  const Eigen::MatrixXd at = uniform_matrix(30, 2, 6);
  const Eigen::VectorXd values = improvement->values(at);
  Eigen::VectorXd unused;
  for (Eigen::Index i = 0; i < at.rows(); ++i)
    CHECK(values[i] == Approx(improvement->value(at.row(i).transpose(), unused)).epsilon(1e-7));
}

TEST_CASE("Without noise and pending trials it is the closed form over the front of the observations") {
  const Eigen::MatrixXd x = uniform_matrix(12, 2, 1);
  const Eigen::VectorXd one = wavy_targets(x, 2), two = -wavy_targets(x, 3);
  Pair pair = fitted(x, 1e-10);
  std::vector<LossPair> points;
  for (Eigen::Index i = 0; i < x.rows(); ++i) points.push_back({one[i], two[i]});
  const LossPair reference{one.maxCoeff(), two.maxCoeff()};
  const Eigen::MatrixXd at = uniform_matrix(8, 2, 6);
  std::vector<double> expected;
  for (Eigen::Index i = 0; i < at.rows(); ++i) {
    const auto first = pair.first.predict(at.row(i).transpose()),
               second = pair.second.predict(at.row(i).transpose());
    expected.push_back(log_hypervolume_gain(strips_of(points, reference), {first.mean, second.mean},
                                            {std::sqrt(first.variance), std::sqrt(second.variance)})
                           .value);
  }
  const auto improvement = ExpectedHypervolumeImprovement::make(pair.first, pair.second, x, reference, 4);
  REQUIRE(improvement.has_value());
  const Eigen::VectorXd values = improvement->values(at);
  for (Eigen::Index i = 0; i < at.rows(); ++i)
    CHECK(values[i] == Approx(expected[static_cast<std::size_t>(i)]).epsilon(1e-2).margin(1e-2));
}

TEST_CASE("A pending trial makes its neighbourhood worth less") {
  const Eigen::MatrixXd x = uniform_matrix(10, 2, 1);
  const Eigen::MatrixXd pending = uniform_matrix(1, 2, 9);
  Pair alone = fitted(x, 1e-4), beside = fitted(x, 1e-4);
  Eigen::MatrixXd with(11, 2);
  with << x, pending;
  const auto before = ExpectedHypervolumeImprovement::make(alone.first, alone.second, x, {2, 2}, 4);
  const auto after = ExpectedHypervolumeImprovement::make(beside.first, beside.second, with, {2, 2}, 4);
  REQUIRE((before.has_value() && after.has_value()));
  Eigen::MatrixXd near = pending;
  near(0, 0) += 0.01;
  CHECK(after->values(near)[0] < before->values(near)[0] - 1);
}
