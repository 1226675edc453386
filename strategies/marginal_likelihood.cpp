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

}  // namespace

std::optional<LogPosterior> log_posterior(const Eigen::MatrixXd& features,
                                          const std::vector<Eigen::Index>& group_of_feature,
                                          const Eigen::VectorXd& targets, const ThetaPrior& prior,
                                          const Theta& theta) {
  const Eigen::Index n = features.rows(), groups = theta.size() - 2;
  const Kernel kernel = kernel_of(theta, group_of_feature);
  const double noise = noise_variance_of(theta);
  // Centring keeps the rounding of distances small where lengths are.
  const Eigen::RowVectorXd centre = features.colwise().mean();
  const Eigen::MatrixXd z = (features.rowwise() - centre) * kernel.inverse_lengths().asDiagonal();
  const Eigen::MatrixXd squared = squared_distances(z, z);
  Eigen::MatrixXd signal(n, n), slope(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    const Eigen::ArrayXd t = (5 * squared.col(j).array()).sqrt();
    const Eigen::ArrayXd decay = kernel.signal_variance() * (-t).exp();
    signal.col(j) = ((1 + t + t.square() / 3) * decay).matrix();
    slope.col(j) = ((-5.0 / 6.0) * (1 + t) * decay).matrix();
  }
  Eigen::MatrixXd covariance = signal;
  covariance.diagonal().array() += noise;
  // Not the robust factorisation: a jitter here would make value and gradient disagree.
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success) return std::nullopt;
  const Eigen::MatrixXd lower = factor.matrixL();
  const Eigen::MatrixXd inverse = inverse_from_factor(lower);

  const Eigen::VectorXd inverse_one = inverse.rowwise().sum();
  const double mean = inverse_one.dot(targets) / (inverse_one.sum() + 1 / (kMeanDeviation * kMeanDeviation));
  const Eigen::VectorXd residual = targets.array() - mean;
  const Eigen::VectorXd alpha = inverse * residual;

  LogPosterior result;
  const Eigen::ArrayXd standardised = (theta - prior.mean).array() / prior.deviation.array();
  result.value = -0.5 * residual.dot(alpha) - lower.diagonal().array().log().sum() -
                 0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi) -
                 0.5 * mean * mean / (kMeanDeviation * kMeanDeviation) - 0.5 * standardised.square().sum();
  const Eigen::MatrixXd w = alpha * alpha.transpose() - inverse;
  result.gradient.resize(theta.size());
  result.gradient.head(groups) = length_gradient(w.cwiseProduct(slope), z, group_of_feature, groups);
  result.gradient[groups] = 0.5 * w.cwiseProduct(signal).sum();
  result.gradient[groups + 1] = 0.5 * noise * w.trace();
  result.gradient.array() -= standardised / prior.deviation.array();
  if (!std::isfinite(result.value) || !result.gradient.allFinite()) return std::nullopt;
  return result;
}

}  // namespace tune::strategies
