#pragma once
// The posterior of a Gaussian process, grown point by point.
#include <Eigen/Core>
#include <optional>
#include <vector>

#include "strategies/dense_algebra.h"
#include "strategies/kernel.h"

namespace tune::strategies {

// The lower Cholesky factor of a symmetric matrix of which the lower half is read. Where rounding has made it
// indefinite, `jitter` is added to the diagonal, from 1e-9 of the mean diagonal tenfold up to 1e-3; nullopt
// if even that does not do.
std::optional<Eigen::MatrixXd> robust_cholesky(const Eigen::MatrixXd& matrix);

struct Prediction {
  double mean;
  double variance;  // of the noiseless function, > 0
};

// Exact regression with a constant mean (Rasmussen & Williams 2006, algorithm 2.1). Points are rows of
// features; each has its own noise variance. Points are appended by extending the Cholesky factor in place,
// O(n^2) each. Predictions are of the points that had targets when those were set: points appended since
// extend the factor alone. A value: copies are independent. One thread.
class GaussianProcess {
 public:
  explicit GaussianProcess(Kernel kernel);

  // Adds points; false, and nothing has changed, when the covariance stays indefinite under every jitter.
  bool append(const Eigen::MatrixXd& points, const Eigen::VectorXd& noise_variance);
  // Forgets all points but the first `count`; the targets have to be set again unless it keeps theirs.
  void truncate(Eigen::Index count);
  // One target a point. The constant mean becomes the most probable one.
  void set_targets(const Eigen::VectorXd& targets);

  Eigen::Index size() const { return points_.rows(); }
  const Kernel& kernel() const { return kernel_; }
  const Eigen::MatrixXd& points() const { return points_; }
  auto factor() const { return factor_.topLeftCorner(size(), size()); }  // lower; K + noise = L L^T
  ConstMatrix factor_view(Eigen::Index rows) const {                     // of the first `rows` points
    return factor_.topLeftCorner(rows, rows);
  }
  double mean() const { return mean_; }
  const Eigen::VectorXd& whitened() const { return whitened_; }  // L^-1 (targets - mean)
  const Eigen::VectorXd& weights() const { return weights_; }    // (K + noise)^-1 (targets - mean)

  Prediction predict(const Eigen::VectorXd& x) const;
  // With the derivatives by the features.
  Prediction predict(const Eigen::VectorXd& x, Eigen::VectorXd& mean_gradient,
                     Eigen::VectorXd& variance_gradient) const;
  // At each row.
  std::vector<Prediction> predict_rows(const Eigen::MatrixXd& points) const;

 private:
  void reserve(Eigen::Index points);
  // Covariances with the points that have targets, a column for each row of `at`.
  Eigen::MatrixXd cross_covariance(const Eigen::MatrixXd& at) const;

  Kernel kernel_;
  Eigen::MatrixXd points_;
  Eigen::MatrixXd factor_;  // with room for more points, zero above the diagonal
  double mean_ = 0;
  Eigen::VectorXd whitened_, weights_;
};

// Variances below this part of the signal are rounding; the posterior never goes below it.
constexpr double kSmallestVariancePart = 1e-12;

}  // namespace tune::strategies
