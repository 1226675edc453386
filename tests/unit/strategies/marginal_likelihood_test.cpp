#include "strategies/marginal_likelihood.h"

#include <Eigen/Dense>
#include <numbers>

#include "strategies/hyperparameter_schedule.h"
#include "support/catch.h"
#include "unit/strategies/dense_reference.h"

using namespace tune::strategies;
using namespace tune::tests;

namespace {

const std::vector<Eigen::Index> kCoupled{0, 1, 1, 2};

Theta some_theta(std::uint64_t seed) {
  const ThetaPrior prior = theta_prior(3);
  const Eigen::VectorXd u = uniform_matrix(5, 1, seed).col(0);
  return prior.mean + prior.deviation.cwiseProduct(((u.array() - 0.5) * 2).matrix());
}

}  // namespace

TEST_CASE("The log posterior is the textbook's density of the targets, the mean and theta") {
  const Eigen::MatrixXd x = uniform_matrix(25, 4, 1);
  const Eigen::VectorXd y = wavy_targets(x, 2);
  const ThetaPrior prior = theta_prior(3);
  const Theta theta = some_theta(3);
  const auto result = LogPosteriorFunction(x, kCoupled, y)(theta);
  REQUIRE(result.has_value());

  const Eigen::VectorXd lengths = theta.head(3).array().exp().matrix();
  Eigen::MatrixXd k = plain_covariance(x, x, lengths, kCoupled, std::exp(theta[3]));
  k.diagonal().array() += std::exp(theta[4]);
  const Eigen::MatrixXd inverse = k.inverse();
  // The mean by a fine search instead of its formula.
  double best = -INFINITY;
  for (double mean = -3; mean <= 3; mean += 1e-4) {
    const Eigen::VectorXd r = y.array() - mean;
    best = std::max(best, -0.5 * r.dot(inverse * r) - 0.5 * mean * mean);
  }
  double expected = best - 0.5 * std::log(k.determinant()) - 12.5 * std::log(2 * std::numbers::pi);
  for (Eigen::Index i = 0; i < theta.size(); ++i)
    expected -= 0.5 * std::pow((theta[i] - prior.mean[i]) / prior.deviation[i], 2);
  CHECK(result->value == Approx(expected).epsilon(1e-7));
}

TEST_CASE("The gradient of the log posterior agrees with central differences") {
  const std::uint64_t seed = GENERATE(range(1, 6));
  const Eigen::MatrixXd x = uniform_matrix(40, 4, seed);
  const Eigen::VectorXd y = wavy_targets(x, seed + 10);
  const Theta theta = some_theta(seed + 20);
  LogPosteriorFunction log_posterior(x, kCoupled, y);
  const auto result = log_posterior(theta);
  REQUIRE(result.has_value());
  for (Eigen::Index i = 0; i < theta.size(); ++i) {
    constexpr double kStep = 1e-5;
    Theta up = theta, down = theta;
    up[i] += kStep;
    down[i] -= kStep;
    const double difference = (log_posterior(up)->value - log_posterior(down)->value) / (2 * kStep);
    INFO("component " << i);
    CHECK(result->gradient[i] == Approx(difference).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("A fit finds the direction that matters and the noise") {
  const Eigen::MatrixXd x = uniform_matrix(80, 2, 7);
  tune::Rng rng(8);
  Eigen::VectorXd y(80);
  for (Eigen::Index i = 0; i < 80; ++i) y[i] = std::sqrt(2.0) * std::sin(9 * x(i, 0)) + 0.1 * rng.normal();
  const auto theta = fit_theta(x, {0, 1}, y);
  REQUIRE(theta.has_value());
  CHECK((*theta)[1] > (*theta)[0] + 1);
  CHECK(std::sqrt(noise_variance_of(*theta)) == Approx(0.1).margin(0.04));
}

TEST_CASE("A fit is more probable than a guess and stays in its box") {
  const Eigen::MatrixXd x = uniform_matrix(30, 4, 9);
  const Eigen::VectorXd y = wavy_targets(x, 10);
  const ThetaPrior prior = theta_prior(3);
  const auto theta = fit_theta(x, kCoupled, y);
  REQUIRE(theta.has_value());
  LogPosteriorFunction log_posterior(x, kCoupled, y);
  CHECK(log_posterior(*theta)->value >= log_posterior(some_theta(11))->value);
  CHECK((theta->array() >= prior.lower.array()).all());
  CHECK((theta->array() <= prior.upper.array()).all());
}
