#include "strategies/gaussian_process.h"

#include <algorithm>

#include "strategies/marginal_likelihood.h"
#include "strategies/triangular.h"

namespace tune::strategies {

GaussianProcess::GaussianProcess(Kernel kernel)
    : kernel_(std::move(kernel)), points_(0, kernel_.inverse_lengths().size()), factor_(0, 0) {}

bool GaussianProcess::append(const Eigen::MatrixXd& points, const Eigen::VectorXd& noise_variance) {
  const Eigen::Index n = size(), m = points.rows();
  if (m == 0) return true;
  // [K C; C^T D] = [L 0; B^T M] [L 0; B^T M]^T with B = L^-1 C and M M^T = D - B^T B.
  Eigen::MatrixXd corner = kernel_.covariance(points, points);
  corner.diagonal() += noise_variance;
  Eigen::MatrixXd b;
  if (n > 0) {
    b = kernel_.covariance(points_, points);
    factor_.triangularView<Eigen::Lower>().solveInPlace(b);
    corner.noalias() -= b.transpose() * b;
  }
  const auto corner_factor = robust_cholesky(corner);
  if (!corner_factor) return false;
  Eigen::MatrixXd factor = Eigen::MatrixXd::Zero(n + m, n + m);
  factor.topLeftCorner(n, n) = factor_;
  if (n > 0) factor.bottomLeftCorner(m, n) = b.transpose();
  factor.bottomRightCorner(m, m) = *corner_factor;
  factor_ = std::move(factor);
  Eigen::MatrixXd all(n + m, points.cols());
  all << points_, points;
  points_ = std::move(all);
  return true;
}

void GaussianProcess::truncate(Eigen::Index count) {
  if (count == size()) return;
  points_.conservativeResize(count, Eigen::NoChange);
  factor_.conservativeResize(count, count);
}

void GaussianProcess::set_targets(const Eigen::VectorXd& targets) {
  const auto lower = factor_.triangularView<Eigen::Lower>();
  const Eigen::VectorXd one = lower.solve(Eigen::VectorXd::Ones(size()));
  const Eigen::VectorXd whitened_targets = lower.solve(targets);
  mean_ = one.dot(whitened_targets) / (one.squaredNorm() + 1 / (kMeanDeviation * kMeanDeviation));
  whitened_ = whitened_targets - mean_ * one;
  weights_ = factor_.transpose().triangularView<Eigen::Upper>().solve(whitened_);
}

Prediction GaussianProcess::predict(const Eigen::VectorXd& x) const {
  Eigen::VectorXd slope;
  Eigen::VectorXd k = kernel_.covariance(points_, x, slope);
  const double mean = mean_ + k.dot(weights_);
  factor_.triangularView<Eigen::Lower>().solveInPlace(k);
  const double prior = kernel_.signal_variance();
  return {mean, std::max(prior - k.squaredNorm(), kSmallestVariancePart * prior)};
}

Prediction GaussianProcess::predict(const Eigen::VectorXd& x, Eigen::VectorXd& mean_gradient,
                                    Eigen::VectorXd& variance_gradient) const {
  Eigen::VectorXd slope;
  const Eigen::VectorXd k = kernel_.covariance(points_, x, slope);
  const Eigen::VectorXd whitened = factor_.triangularView<Eigen::Lower>().solve(k);
  const Eigen::VectorXd solved = factor_.transpose().triangularView<Eigen::Upper>().solve(whitened);
  const double prior = kernel_.signal_variance(), variance = prior - whitened.squaredNorm();
  mean_gradient = kernel_.gradient(points_, x, slope, weights_);
  variance_gradient = kernel_.gradient(points_, x, slope, -2 * solved);
  if (variance <= kSmallestVariancePart * prior) variance_gradient.setZero();
  return {mean_ + k.dot(weights_), std::max(variance, kSmallestVariancePart * prior)};
}

std::vector<Prediction> GaussianProcess::predict_rows(const Eigen::MatrixXd& points) const {
  Eigen::MatrixXd k = kernel_.covariance(points_, points);
  const Eigen::VectorXd means = (k.transpose() * weights_).array() + mean_;
  factor_.triangularView<Eigen::Lower>().solveInPlace(k);
  const double prior = kernel_.signal_variance();
  std::vector<Prediction> predictions;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const double variance = std::max(prior - k.col(i).squaredNorm(), kSmallestVariancePart * prior);
    predictions.push_back({means[i], variance});
  }
  return predictions;
}

Eigen::VectorXd GaussianProcess::predict_means(const Eigen::MatrixXd& points) const {
  return (kernel_.covariance(points, points_) * weights_).array() + mean_;
}

}  // namespace tune::strategies
