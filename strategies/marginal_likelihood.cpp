#include "strategies/marginal_likelihood.h"

#include <cmath>
#include <numbers>

#include "strategies/dense_algebra.h"

namespace tune::strategies {

Kernel kernel_of(const Theta& theta, const std::vector<Eigen::Index>& group_of_feature) {
  const Eigen::Index groups = theta.size() - 2;
  return Kernel(theta.head(groups).array().exp().matrix(), std::exp(theta[groups]), group_of_feature);
}

double noise_variance_of(const Theta& theta) { return std::exp(theta[theta.size() - 1]); }

ThetaPrior theta_prior(Eigen::Index groups) {
  const double dimensions = std::max(1.0, static_cast<double>(groups));
  ThetaPrior prior;
  const auto filled = [&](double length, double signal, double noise) {
    Eigen::VectorXd v = Eigen::VectorXd::Constant(groups + 2, length);
    v[groups] = signal;
    v[groups + 1] = noise;
    return v;
  };
  prior.mean = filled(std::log(0.5) + std::log(dimensions) / 4, 0, -8);
  prior.deviation = filled(1, 1, 2);
  prior.lower = filled(std::log(0.02), std::log(0.02), std::log(1e-6));
  prior.upper = filled(std::log(30), std::log(50), 0);
  return prior;
}

LogPosteriorFunction::LogPosteriorFunction(const Eigen::MatrixXd& features,
                                           std::vector<Eigen::Index> group_of_feature,
                                           Eigen::VectorXd targets, Eigen::VectorXd noise)
    // Centring keeps the rounding of distances small where lengths are.
    : features_(features.rowwise() - features.colwise().mean()),
      group_of_feature_(std::move(group_of_feature)),
      targets_(std::move(targets)),
      noise_(std::move(noise)),
      prior_(theta_prior(group_of_feature_.empty() ? 0 : group_of_feature_.back() + 1)) {
  const Eigen::Index n = features.rows();
  for (Eigen::MatrixXd* matrix : {&signal_, &slope_, &lower_, &inverse_}) matrix->resize(n, n);
}

bool LogPosteriorFunction::condition(const Theta& theta, bool with_slope) {
  const Kernel kernel = kernel_of(theta, group_of_feature_);
  z_ = features_ * kernel.inverse_lengths().asDiagonal();
  Matrix slope(slope_);
  matern52(z_, z_, kernel.signal_variance(), true, signal_, with_slope ? &slope : nullptr);
  lower_.triangularView<Eigen::Lower>() = signal_;
  lower_.diagonal().array() += noise_variance_of(theta);
  if (noise_.size() > 0) lower_.diagonal() += noise_;
  // Not the robust factorisation: a jitter here would make value and gradient disagree.
  if (!cholesky(lower_)) return false;
  Eigen::MatrixXd whitened(targets_.size(), 2);
  whitened.col(0) = targets_;
  whitened.col(1).setOnes();
  solve_lower(lower_, whitened);
  mean_ = whitened.col(1).dot(whitened.col(0)) /
          (whitened.col(1).squaredNorm() + 1 / (kMeanDeviation * kMeanDeviation));
  whitened_ = whitened.col(0) - mean_ * whitened.col(1);
  return true;
}

double LogPosteriorFunction::log_density(const Theta& theta) const {
  const Eigen::ArrayXd standardised = (theta - prior_.mean).array() / prior_.deviation.array();
  return -0.5 * whitened_.squaredNorm() - lower_.diagonal().array().log().sum() -
         0.5 * static_cast<double>(targets_.size()) * std::log(2 * std::numbers::pi) -
         0.5 * mean_ * mean_ / (kMeanDeviation * kMeanDeviation) - 0.5 * standardised.square().sum();
}

std::optional<LogPosterior> LogPosteriorFunction::operator()(const Theta& theta) {
  if (!condition(theta, true)) return std::nullopt;
  LogPosterior result;
  result.value = log_density(theta);
  Eigen::VectorXd alpha = whitened_;
  solve_lower_transposed(lower_, alpha);
  invert_from_cholesky(lower_, inverse_);
  Eigen::VectorXd by_feature = Eigen::VectorXd::Zero(z_.cols());
  const LikelihoodSums sums = likelihood_sums(inverse_, signal_, slope_, alpha.array(), z_, by_feature);
  const Eigen::Index groups = theta.size() - 2;
  result.gradient = Eigen::VectorXd::Zero(theta.size());
  // d r^2 / d log l = -2 (z_i - z_j)^2, and the trace of (alpha alpha^T - K^-1) dK comes with one half.
  for (Eigen::Index f = 0; f < z_.cols(); ++f)
    result.gradient[group_of_feature_[static_cast<std::size_t>(f)]] -= by_feature[f];
  result.gradient[groups] = 0.5 * sums.signal;
  result.gradient[groups + 1] = 0.5 * noise_variance_of(theta) * sums.trace;
  result.gradient.array() -= (theta - prior_.mean).array() / prior_.deviation.array().square();
  if (!std::isfinite(result.value) || !result.gradient.allFinite()) return std::nullopt;
  return result;
}

std::optional<double> LogPosteriorFunction::value(const Theta& theta) {
  if (!condition(theta, false)) return std::nullopt;
  const double value = log_density(theta);
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace tune::strategies
