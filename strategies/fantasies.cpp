#include "strategies/fantasies.h"

#include <algorithm>
#include <cmath>

#include "strategies/dense_algebra.h"
#include "strategies/normal_distribution.h"
#include "strategies/sobol_sequence.h"

namespace tune::strategies {
namespace {

// Standard normal draws, one column a fantasy.
Eigen::MatrixXd quasi_normal(Eigen::Index rows, std::uint32_t columns, std::uint64_t seed) {
  const SobolSequence sequence(static_cast<std::size_t>(rows), seed);
  Eigen::MatrixXd draws(rows, columns);
  for (std::uint32_t j = 0; j < columns; ++j) {
    const auto point = sequence.point(j);
    for (Eigen::Index i = 0; i < rows; ++i) {
      draws(i, j) = normal_quantile(std::clamp(point[static_cast<std::size_t>(i)], 1e-12, 1 - 1e-12));
    }
  }
  return draws;
}

}  // namespace

std::optional<Fantasies> Fantasies::make(GaussianProcess& process, const Eigen::MatrixXd& baseline,
                                         std::uint64_t seed) {
  const Eigen::Index n = process.size(), b = baseline.rows();
  // A baseline point often is a training point: exact repeats are told apart by this much noise.
  const double nugget = 1e-8 * process.kernel().signal_variance();
  if (!process.append(baseline, Eigen::VectorXd::Constant(b, nugget))) return std::nullopt;
  Fantasies result(process);
  // With L = [L1 0; B^T M] a draw is f = mean + B^T whitened + M e, and the whitened extended targets are
  // (whitened, e).
  Eigen::MatrixXd whitened(n + b, kCount);
  whitened.topRows(n) = process.whitened().replicate(1, kCount);
  whitened.bottomRows(b) = quasi_normal(b, kCount, seed);
  result.draws_ = (process.factor().bottomRows(b) * whitened).array() + process.mean();
  result.weights_ = std::move(whitened);
  solve_lower_transposed(process.factor_view(n + b), result.weights_);
  result.mean_ = process.mean();
  if (!result.weights_.allFinite()) return std::nullopt;
  return result;
}

double Fantasies::deviation(double explained) const {
  const double prior = extended_->kernel().signal_variance();
  return std::sqrt(std::max(prior - explained, kSmallestVariancePart * prior));
}

Fantasies::Predictions Fantasies::predict(const Eigen::MatrixXd& points) const {
  Eigen::MatrixXd k = extended_->kernel().covariance(extended_->points(), points);
  Predictions result{Eigen::MatrixXd(kCount, points.rows()), Eigen::VectorXd(points.rows())};
  transposed_product(weights_, k, result.means);
  result.means.array() += mean_;
  solve_lower(extended_->factor_view(k.rows()), k);
  for (Eigen::Index i = 0; i < points.rows(); ++i) result.deviations[i] = deviation(k.col(i).squaredNorm());
  return result;
}

Fantasies::At Fantasies::predict(const Eigen::VectorXd& x) const {
  At at;
  Eigen::VectorXd k = extended_->kernel().covariance(extended_->points(), x, at.slope);
  at.means = (weights_.transpose() * k).array() + mean_;
  at.whitened = std::move(k);
  solve_lower(extended_->factor_view(extended_->size()), at.whitened);
  const double explained = at.whitened.squaredNorm();
  at.deviation = deviation(explained);
  at.at_floor = explained >= extended_->kernel().signal_variance() * (1 - kSmallestVariancePart);
  return at;
}

Eigen::VectorXd Fantasies::gradient(const Eigen::VectorXd& x, const At& at, const Eigen::VectorXd& by_mean,
                                    double by_deviation) const {
  Eigen::VectorXd weight = weights_ * by_mean;
  if (!at.at_floor) {
    // d sigma = -k^T K^-1 dk / sigma.
    Eigen::VectorXd solved = at.whitened;
    solve_lower_transposed(extended_->factor_view(extended_->size()), solved);
    weight -= solved * (by_deviation / at.deviation);
  }
  return extended_->kernel().gradient(extended_->points(), x, at.slope, weight);
}

}  // namespace tune::strategies
