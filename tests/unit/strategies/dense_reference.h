#pragma once
// Gaussian-process formulas as textbooks print them, slow and plain, to hold the fast code against.
#include <Eigen/Dense>
#include <cmath>
#include <vector>

#include "tuner/core/rng.h"

namespace tune::tests {

inline double plain_matern52(const Eigen::VectorXd& a, const Eigen::VectorXd& b,
                             const Eigen::VectorXd& lengths, const std::vector<Eigen::Index>& group,
                             double signal) {
  double squared = 0;
  for (Eigen::Index f = 0; f < a.size(); ++f) {
    const double d = (a[f] - b[f]) / lengths[group[static_cast<std::size_t>(f)]];
    squared += d * d;
  }
  const double r = std::sqrt(squared);
  return signal * (1 + std::sqrt(5.0) * r + 5.0 / 3.0 * squared) * std::exp(-std::sqrt(5.0) * r);
}

inline Eigen::MatrixXd plain_covariance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b,
                                        const Eigen::VectorXd& lengths,
                                        const std::vector<Eigen::Index>& group, double signal) {
  Eigen::MatrixXd k(a.rows(), b.rows());
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    for (Eigen::Index j = 0; j < b.rows(); ++j)
      k(i, j) = plain_matern52(a.row(i).transpose(), b.row(j).transpose(), lengths, group, signal);
  return k;
}

inline Eigen::MatrixXd uniform_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Rng rng(seed);
  Eigen::MatrixXd m(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index j = 0; j < columns; ++j) m(i, j) = rng.uniform();
  return m;
}

// Something smooth with a little noise.
inline Eigen::VectorXd wavy_targets(const Eigen::MatrixXd& x, std::uint64_t seed) {
  Rng rng(seed);
  Eigen::VectorXd y(x.rows());
  for (Eigen::Index i = 0; i < x.rows(); ++i)
    y[i] = std::sin(5 * x(i, 0)) + x.row(i).sum() + 0.05 * rng.normal();
  y.array() -= y.mean();
  return y / std::sqrt(y.squaredNorm() / static_cast<double>(y.size()));
}

}  // namespace tune::tests
