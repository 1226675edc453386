#include "strategies/noisy_expected_improvement.h"

#include <algorithm>
#include <cmath>

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

std::optional<NoisyExpectedImprovement> NoisyExpectedImprovement::make(GaussianProcess& process,
                                                                       const Eigen::MatrixXd& baseline,
                                                                       std::uint64_t seed) {
  const Eigen::Index n = process.size(), b = baseline.rows();
  // A baseline point often is a training point: exact repeats are told apart by this much noise.
  const double nugget = 1e-8 * process.kernel().signal_variance();
  if (!process.append(baseline, Eigen::VectorXd::Constant(b, nugget))) return std::nullopt;
  NoisyExpectedImprovement result(process);
  // With L = [L1 0; B^T M] a draw is f = mean + B^T whitened + M e, and the whitened extended targets are
  // (whitened, e).
  const Eigen::MatrixXd draws = quasi_normal(b, kFantasies, seed);
  Eigen::MatrixXd whitened(n + b, kFantasies);
  whitened.topRows(n) = process.whitened().replicate(1, kFantasies);
  whitened.bottomRows(b) = draws;
  const Eigen::MatrixXd fantasies = (process.factor().bottomRows(b) * whitened).array() + process.mean();
  result.incumbents_ = fantasies.colwise().minCoeff();
  result.weights_ = std::move(whitened);
  solve_lower_transposed(process.factor_view(n + b), result.weights_);
  result.mean_ = process.mean();
  if (!result.weights_.allFinite()) return std::nullopt;
  return result;
}

double NoisyExpectedImprovement::deviation(double explained) const {
  const double prior = extended_.kernel().signal_variance();
  return std::sqrt(std::max(prior - explained, kSmallestVariancePart * prior));
}

Eigen::VectorXd NoisyExpectedImprovement::values(const Eigen::MatrixXd& points) const {
  Eigen::MatrixXd k = extended_.kernel().covariance(extended_.points(), points);
  Eigen::MatrixXd means(kFantasies, points.rows());
  transposed_product(weights_, k, means);
  means.array() += mean_;
  solve_lower(extended_.factor_view(k.rows()), k);
  Eigen::VectorXd result(points.rows());
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const double sigma = deviation(k.col(i).squaredNorm());
    Eigen::ArrayXd logs(kFantasies);
    for (Eigen::Index s = 0; s < kFantasies; ++s)
      logs[s] = log_improvement((incumbents_[s] - means(s, i)) / sigma).value;
    const double top = logs.maxCoeff();
    result[i] = std::log(sigma) + top + std::log((logs - top).exp().mean());
  }
  return result;
}

double NoisyExpectedImprovement::value(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const {
  const Kernel& kernel = extended_.kernel();
  const ConstMatrix factor = extended_.factor_view(extended_.size());
  Eigen::VectorXd slope;
  const Eigen::VectorXd k = kernel.covariance(extended_.points(), x, slope);
  const Eigen::VectorXd means = (weights_.transpose() * k).array() + mean_;
  Eigen::VectorXd whitened = k;
  solve_lower(factor, whitened);
  const double explained = whitened.squaredNorm(), sigma = deviation(explained);

  Eigen::ArrayXd logs(kFantasies), by_mean(kFantasies), by_sigma(kFantasies);
  for (Eigen::Index s = 0; s < kFantasies; ++s) {
    const double u = (incumbents_[s] - means[s]) / sigma;
    const LogImprovement h = log_improvement(u);
    logs[s] = h.value;
    by_mean[s] = -h.slope / sigma;
    by_sigma[s] = (1 - u * h.slope) / sigma;
  }
  const double top = logs.maxCoeff();
  const Eigen::ArrayXd share = (logs - top).exp() / (logs - top).exp().sum();
  // d sigma = -k^T K^-1 dk / sigma; at the floor of the variance sigma does not move.
  const bool at_floor = explained >= kernel.signal_variance() * (1 - kSmallestVariancePart);
  Eigen::VectorXd weight = weights_ * (share * by_mean).matrix();
  if (!at_floor) {
    solve_lower_transposed(factor, whitened);
    weight -= whitened * ((share * by_sigma).sum() / sigma);
  }
  gradient = kernel.gradient(extended_.points(), x, slope, weight);
  return std::log(sigma) + top + std::log((logs - top).exp().mean());
}

}  // namespace tune::strategies
