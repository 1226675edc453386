#include "strategies/gaussian_process.h"

#include <algorithm>

#include "strategies/dense_algebra.h"
#include "strategies/marginal_likelihood.h"

namespace tune::strategies {

std::optional<Eigen::MatrixXd> robust_cholesky(const Eigen::MatrixXd& matrix) {
  if (matrix.rows() == 0) return Eigen::MatrixXd(0, 0);
  if (!matrix.allFinite()) return std::nullopt;
  const double scale = matrix.diagonal().mean();
  constexpr double kFirstJitter = 1e-9, kLastJitter = 1.1e-3;
  for (double jitter = 0; jitter < kLastJitter; jitter = jitter == 0 ? kFirstJitter : 10 * jitter) {
    Eigen::MatrixXd lower = matrix.triangularView<Eigen::Lower>();
    lower.diagonal().array() += jitter * scale;
    if (cholesky(lower) && lower.allFinite()) return lower;
  }
  return std::nullopt;
}

GaussianProcess::GaussianProcess(Kernel kernel)
    : kernel_(std::move(kernel)), points_(0, kernel_.inverse_lengths().size()), factor_(0, 0) {}

void GaussianProcess::reserve(Eigen::Index points) {
  if (points <= factor_.rows()) return;
  // Half as much again, so that growing one by one copies each point a few times only.
  // In whole cache lines, so that a column lies alike however the process grew.
  constexpr Eigen::Index kLine = 8;
  const Eigen::Index wanted = std::max(points, factor_.rows() + factor_.rows() / 2), n = size();
  const Eigen::Index room = (wanted + kLine - 1) / kLine * kLine;
  Eigen::MatrixXd larger = Eigen::MatrixXd::Zero(room, room);
  larger.topLeftCorner(n, n).triangularView<Eigen::Lower>() = factor_.topLeftCorner(n, n);
  factor_ = std::move(larger);
}

bool GaussianProcess::append(const Eigen::MatrixXd& points, const Eigen::VectorXd& noise_variance) {
  const Eigen::Index n = size(), m = points.rows();
  if (m == 0) return true;
  // [K C; C^T D] = [L 0; B^T M] [L 0; B^T M]^T with B = L^-1 C and M M^T = D - B^T B.
  Eigen::MatrixXd corner = kernel_.covariance(points, points), b;
  corner.diagonal() += noise_variance;
  if (n > 0) {
    b = kernel_.covariance(points_, points);
    solve_lower(factor_view(n), b);
    downdate(corner, b);
  }
  const auto corner_factor = robust_cholesky(corner);
  if (!corner_factor) return false;
  reserve(n + m);
  if (n > 0) factor_.block(n, 0, m, n) = b.transpose();
  factor_.block(n, n, m, m) = *corner_factor;
  points_.conservativeResize(n + m, Eigen::NoChange);
  points_.bottomRows(m) = points;
  return true;
}

void GaussianProcess::truncate(Eigen::Index count) {
  if (count != size()) points_.conservativeResize(count, Eigen::NoChange);
}

void GaussianProcess::set_targets(const Eigen::VectorXd& targets) {
  Eigen::MatrixXd whitened(size(), 2);
  whitened.col(0) = targets;
  whitened.col(1).setOnes();
  solve_lower(factor_view(size()), whitened);
  const auto one = whitened.col(1);
  mean_ = one.dot(whitened.col(0)) / (one.squaredNorm() + 1 / (kMeanDeviation * kMeanDeviation));
  whitened_ = whitened.col(0) - mean_ * one;
  weights_ = whitened_;
  solve_lower_transposed(factor_view(size()), weights_);
}

Eigen::MatrixXd GaussianProcess::cross_covariance(const Eigen::MatrixXd& at) const {
  return kernel_.covariance(points_.topRows(weights_.size()), at);
}

Prediction GaussianProcess::predict(const Eigen::VectorXd& x) const {
  return predict_rows(x.transpose()).front();
}

Prediction GaussianProcess::predict(const Eigen::VectorXd& x, Eigen::VectorXd& mean_gradient,
                                    Eigen::VectorXd& variance_gradient) const {
  const ConstMatrix lower = factor_view(weights_.size());
  const Eigen::MatrixXd points = points_.topRows(weights_.size());
  Eigen::VectorXd slope;
  const Eigen::VectorXd k = kernel_.covariance(points, x, slope);
  Eigen::VectorXd solved = k;
  solve_lower(lower, solved);
  const double prior = kernel_.signal_variance(), variance = prior - solved.squaredNorm();
  solve_lower_transposed(lower, solved);
  mean_gradient = kernel_.gradient(points, x, slope, weights_);
  variance_gradient = kernel_.gradient(points, x, slope, -2 * solved);
  if (variance <= kSmallestVariancePart * prior) variance_gradient.setZero();
  return {mean_ + k.dot(weights_), std::max(variance, kSmallestVariancePart * prior)};
}

std::vector<Prediction> GaussianProcess::predict_rows(const Eigen::MatrixXd& points) const {
  Eigen::MatrixXd k = cross_covariance(points);
  const Eigen::VectorXd means = (k.transpose() * weights_).array() + mean_;
  solve_lower(factor_view(weights_.size()), k);
  const double prior = kernel_.signal_variance();
  std::vector<Prediction> predictions;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const double variance = std::max(prior - k.col(i).squaredNorm(), kSmallestVariancePart * prior);
    predictions.push_back({means[i], variance});
  }
  return predictions;
}

}  // namespace tune::strategies
