#include "strategies/marginal_likelihood.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <numbers>

#include "strategies/triangular.h"

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

namespace {

// The derivative of the log likelihood by log lengths without a pass over n^2 distances for each: with
// V = (alpha alpha^T - K^-1) o dk/dr^2, it is -sum_f [2 sum_i (V 1)_i z_if^2 - 2 z_f^T V z_f], z scaled by
// lengths.
Eigen::VectorXd length_gradient(const Eigen::MatrixXd& v, const Eigen::MatrixXd& z,
                                const std::vector<Eigen::Index>& group_of_feature, Eigen::Index groups) {
  Eigen::VectorXd gradient = Eigen::VectorXd::Zero(groups);
  const Eigen::VectorXd row_sums = v.rowwise().sum();
  const Eigen::MatrixXd vz = v * z;
  for (Eigen::Index f = 0; f < z.cols(); ++f) {
    const double part = row_sums.dot(z.col(f).cwiseAbs2()) - z.col(f).dot(vz.col(f));
    gradient[group_of_feature[static_cast<std::size_t>(f)]] -= 2 * part;
  }
  return gradient;
}

// The covariance of the observations under theta, factored; what both value and gradient need.
struct Conditioned {
  Eigen::MatrixXd z, signal, slope, lower;  // features over lengths; slope only if wanted
  double noise = 0;
};

std::optional<Conditioned> condition(const Eigen::MatrixXd& features,
                                     const std::vector<Eigen::Index>& group_of_feature, const Theta& theta,
                                     bool with_slope) {
  const Eigen::Index n = features.rows();
  const Kernel kernel = kernel_of(theta, group_of_feature);
  Conditioned result;
  result.noise = noise_variance_of(theta);
  // Centring keeps the rounding of distances small where lengths are.
  const Eigen::RowVectorXd centre = features.colwise().mean();
  result.z = (features.rowwise() - centre) * kernel.inverse_lengths().asDiagonal();
  result.signal = squared_distances(result.z, result.z);
  if (with_slope) result.slope.resize(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    const Eigen::ArrayXd t = (5 * result.signal.col(j).array()).sqrt();
    const Eigen::ArrayXd decay = kernel.signal_variance() * (-t).exp();
    result.signal.col(j) = ((1 + t + t.square() / 3) * decay).matrix();
    if (with_slope) result.slope.col(j) = ((-5.0 / 6.0) * (1 + t) * decay).matrix();
  }
  Eigen::MatrixXd covariance = result.signal;
  covariance.diagonal().array() += result.noise;
  // Not the robust factorisation: a jitter here would make value and gradient disagree.
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success) return std::nullopt;
  result.lower = factor.matrixL();
  return result;
}

double log_density(double squared_residual, const Eigen::MatrixXd& lower, double mean,
                   const Eigen::ArrayXd& standardised) {
  return -0.5 * squared_residual - lower.diagonal().array().log().sum() -
         0.5 * static_cast<double>(lower.rows()) * std::log(2 * std::numbers::pi) -
         0.5 * mean * mean / (kMeanDeviation * kMeanDeviation) - 0.5 * standardised.square().sum();
}

}  // namespace

std::optional<LogPosterior> log_posterior(const Eigen::MatrixXd& features,
                                          const std::vector<Eigen::Index>& group_of_feature,
                                          const Eigen::VectorXd& targets, const ThetaPrior& prior,
                                          const Theta& theta) {
  const auto at = condition(features, group_of_feature, theta, true);
  if (!at) return std::nullopt;
  const Eigen::Index groups = theta.size() - 2;
  const Eigen::MatrixXd inverse = inverse_from_factor(at->lower);
  const Eigen::VectorXd inverse_one = inverse.rowwise().sum();
  const double mean = inverse_one.dot(targets) / (inverse_one.sum() + 1 / (kMeanDeviation * kMeanDeviation));
  const Eigen::VectorXd residual = targets.array() - mean;
  const Eigen::VectorXd alpha = inverse * residual;

  LogPosterior result;
  const Eigen::ArrayXd standardised = (theta - prior.mean).array() / prior.deviation.array();
  result.value = log_density(residual.dot(alpha), at->lower, mean, standardised);
  const Eigen::MatrixXd w = alpha * alpha.transpose() - inverse;
  result.gradient.resize(theta.size());
  result.gradient.head(groups) = length_gradient(w.cwiseProduct(at->slope), at->z, group_of_feature, groups);
  result.gradient[groups] = 0.5 * w.cwiseProduct(at->signal).sum();
  result.gradient[groups + 1] = 0.5 * at->noise * w.trace();
  result.gradient.array() -= standardised / prior.deviation.array();
  if (!std::isfinite(result.value) || !result.gradient.allFinite()) return std::nullopt;
  return result;
}

std::optional<double> log_posterior_value(const Eigen::MatrixXd& features,
                                          const std::vector<Eigen::Index>& group_of_feature,
                                          const Eigen::VectorXd& targets, const ThetaPrior& prior,
                                          const Theta& theta) {
  const auto at = condition(features, group_of_feature, theta, false);
  if (!at) return std::nullopt;
  Eigen::MatrixXd whitened(targets.size(), 2);
  whitened.col(0) = targets;
  whitened.col(1).setOnes();
  at->lower.triangularView<Eigen::Lower>().solveInPlace(whitened);
  const double mean = whitened.col(1).dot(whitened.col(0)) /
                      (whitened.col(1).squaredNorm() + 1 / (kMeanDeviation * kMeanDeviation));
  const double squared = (whitened.col(0) - mean * whitened.col(1)).squaredNorm();
  const Eigen::ArrayXd standardised = (theta - prior.mean).array() / prior.deviation.array();
  const double value = log_density(squared, at->lower, mean, standardised);
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace tune::strategies
