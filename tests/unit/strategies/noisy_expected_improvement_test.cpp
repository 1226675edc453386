#include "strategies/noisy_expected_improvement.h"

#include <Eigen/Dense>

#include "strategies/normal_distribution.h"
#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

GaussianProcess fitted(const Eigen::MatrixXd& x, const Eigen::VectorXd& y, double noise) {
  GaussianProcess process(Kernel(Eigen::Vector2d(0.35, 0.6), 1.2, {0, 1}));
  REQUIRE(process.append(x, Eigen::VectorXd::Constant(x.rows(), noise)));
  process.set_targets(y);
  return process;
}

}  // namespace

TEST_CASE("The gradient of noisy expected improvement agrees with central differences") {
  const double noise = GENERATE(1e-4, 0.1);
  const Eigen::MatrixXd x = uniform_matrix(20, 2, 1);
  GaussianProcess process = fitted(x, wavy_targets(x, 2), noise);
  Eigen::MatrixXd baseline(7, 2);
  baseline << x.topRows(5), uniform_matrix(2, 2, 3);
  const auto improvement = NoisyExpectedImprovement::make(process, baseline, 4);
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
      CHECK(gradient[f] == Approx(difference).epsilon(1e-4).margin(1e-5));
    }
  }
}

TEST_CASE("Scoring many points at once gives the values of scoring each") {
  const Eigen::MatrixXd x = uniform_matrix(15, 2, 1);
  GaussianProcess process = fitted(x, wavy_targets(x, 2), 0.01);
  const auto improvement = NoisyExpectedImprovement::make(process, x, 4);
  REQUIRE(improvement.has_value());
  const Eigen::MatrixXd at = uniform_matrix(30, 2, 6);
  const Eigen::VectorXd values = improvement->values(at);
  Eigen::VectorXd unused;
  for (Eigen::Index i = 0; i < at.rows(); ++i)
    CHECK(values[i] == Approx(improvement->value(at.row(i).transpose(), unused)).epsilon(1e-8));
}

TEST_CASE("Without noise it is the closed form of expected improvement over the best observation") {
  const Eigen::MatrixXd x = uniform_matrix(12, 2, 7);
  const Eigen::VectorXd y = wavy_targets(x, 8);
  GaussianProcess process = fitted(x, y, 1e-8);
  const auto improvement = NoisyExpectedImprovement::make(process, x, 9);
  REQUIRE(improvement.has_value());
  const Eigen::MatrixXd at = uniform_matrix(20, 2, 10);
  Eigen::VectorXd unused;
  for (Eigen::Index i = 0; i < at.rows(); ++i) {
    const Prediction p = process.predict(at.row(i).transpose());
    const double sigma = std::sqrt(p.variance);
    const double expected = std::log(sigma) + log_improvement((y.minCoeff() - p.mean) / sigma).value;
    if (expected < -12) continue;  // the fantasies' own noise of 1e-4 shows there
    CHECK(improvement->value(at.row(i).transpose(), unused) == Approx(expected).margin(0.02));
  }
}

TEST_CASE("It is the average over joint draws that a dense computation gives") {
  const Eigen::MatrixXd x = uniform_matrix(10, 2, 11);
  const Eigen::VectorXd y = wavy_targets(x, 12);
  constexpr double kNoise = 0.2;
  GaussianProcess process = fitted(x, y, kNoise);
  Eigen::Index best = 0;
  y.minCoeff(&best);
  const Eigen::VectorXd at = x.row(best).transpose() + Eigen::Vector2d(0.05, -0.04);
  // Brute force: joint posterior of the noiseless function at the ten points and at `at`, many draws of all
  // of them.
  Eigen::MatrixXd all(11, 2);
  all << x, at.transpose();
  const std::vector<Eigen::Index> groups{0, 1};
  const Eigen::VectorXd lengths = Eigen::Vector2d(0.35, 0.6);
  Eigen::MatrixXd k = plain_covariance(x, x, lengths, groups, 1.2);
  k.diagonal().array() += kNoise;
  const Eigen::MatrixXd cross = plain_covariance(all, x, lengths, groups, 1.2), gain = cross * k.inverse();
  const Eigen::VectorXd mean = (gain * (y.array() - process.mean()).matrix()).array() + process.mean();
  Eigen::MatrixXd covariance = plain_covariance(all, all, lengths, groups, 1.2) - gain * cross.transpose();
  covariance.diagonal().array() += 1e-10;
  const Eigen::MatrixXd factor = Eigen::LLT<Eigen::MatrixXd>(covariance).matrixL();
  tune::Rng rng(13);
  double sum = 0;
  constexpr int kDraws = 40000;
  for (int i = 0; i < kDraws; ++i) {
    Eigen::VectorXd z(11);
    for (double& v : z) v = rng.normal();
    const Eigen::VectorXd f = mean + factor * z;
    sum += std::max(0.0, f.head(10).minCoeff() - f[10]);
  }
  const auto improvement = NoisyExpectedImprovement::make(process, x, 14);
  REQUIRE(improvement.has_value());
  Eigen::VectorXd unused;
  // Sixteen fantasies are a rough average.
  CHECK(improvement->value(at, unused) == Approx(std::log(sum / kDraws)).margin(0.25));
}

TEST_CASE("A pending trial makes its neighbourhood less worth trying") {
  const Eigen::MatrixXd x = uniform_matrix(12, 2, 15);
  GaussianProcess process = fitted(x, wavy_targets(x, 16), 1e-3);
  const Eigen::VectorXd at = Eigen::Vector2d(0.62, 0.31);
  Eigen::MatrixXd with_pending(13, 2);
  with_pending << x, at.transpose();
  const auto without = NoisyExpectedImprovement::make(process, x, 17);
  GaussianProcess again = fitted(x, wavy_targets(x, 16), 1e-3);
  const auto with = NoisyExpectedImprovement::make(again, with_pending, 17);
  Eigen::VectorXd unused;
  CHECK(with->value(at, unused) < without->value(at, unused) - 2);
  const Eigen::VectorXd far = Eigen::Vector2d(0.05, 0.95);
  CHECK(with->value(far, unused) == Approx(without->value(far, unused)).margin(1));
}

TEST_CASE("Predictions of the process stay those of the observations alone") {
  const Eigen::MatrixXd x = uniform_matrix(12, 2, 18), at = uniform_matrix(5, 2, 19);
  GaussianProcess process = fitted(x, wavy_targets(x, 20), 1e-3);
  const auto before = process.predict_rows(at);
  REQUIRE(NoisyExpectedImprovement::make(process, at, 21).has_value());
  const auto after = process.predict_rows(at);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(after[i].mean == Approx(before[i].mean).epsilon(1e-12));
    CHECK(after[i].variance == Approx(before[i].variance).epsilon(1e-12));
  }
}
