#include "strategies/kernel.h"

namespace tune::strategies {

Eigen::ArrayXd matern52(const Eigen::ArrayXd& squared) {
  const Eigen::ArrayXd t = (5 * squared).sqrt();
  return (1 + t + t.square() / 3) * (-t).exp();
}

Eigen::ArrayXd matern52_slope(const Eigen::ArrayXd& squared) {
  const Eigen::ArrayXd t = (5 * squared).sqrt();
  return (-5.0 / 6.0) * (1 + t) * (-t).exp();
}

Eigen::MatrixXd squared_distances(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  Eigen::MatrixXd result(a.rows(), b.rows());
  result.noalias() = -2 * a * b.transpose();
  result.colwise() += a.rowwise().squaredNorm();
  result.rowwise() += b.rowwise().squaredNorm().transpose();
  return result.cwiseMax(0.0);
}

Kernel::Kernel(const Eigen::VectorXd& lengths, double signal_variance,
               const std::vector<Eigen::Index>& group_of_feature)
    : signal_variance_(signal_variance),
      inverse_lengths_(static_cast<Eigen::Index>(group_of_feature.size())) {
  for (std::size_t f = 0; f < group_of_feature.size(); ++f)
    inverse_lengths_[static_cast<Eigen::Index>(f)] = 1 / lengths[group_of_feature[f]];
}

Eigen::MatrixXd Kernel::covariance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const {
  Eigen::MatrixXd result =
      squared_distances(a * inverse_lengths_.asDiagonal(), b * inverse_lengths_.asDiagonal());
  for (Eigen::Index j = 0; j < result.cols(); ++j)
    result.col(j) = (signal_variance_ * matern52(result.col(j).array())).matrix();
  return result;
}

Eigen::VectorXd Kernel::covariance(const Eigen::MatrixXd& points, const Eigen::VectorXd& x,
                                   Eigen::VectorXd& slope) const {
  Eigen::ArrayXd squared = Eigen::ArrayXd::Zero(points.rows());
  for (Eigen::Index f = 0; f < points.cols(); ++f)
    squared += ((points.col(f).array() - x[f]) * inverse_lengths_[f]).square();
  const Eigen::ArrayXd t = (5 * squared).sqrt();
  const Eigen::ArrayXd decay = signal_variance_ * (-t).exp();
  slope = ((-5.0 / 6.0) * (1 + t) * decay).matrix();
  return ((1 + t + t.square() / 3) * decay).matrix();
}

Eigen::VectorXd Kernel::gradient(const Eigen::MatrixXd& points, const Eigen::VectorXd& x,
                                 const Eigen::VectorXd& slope, const Eigen::VectorXd& weight) const {
  const Eigen::VectorXd q = slope.cwiseProduct(weight);
  const Eigen::VectorXd difference = x * q.sum() - points.transpose() * q;
  return 2 * difference.cwiseProduct(inverse_lengths_.cwiseAbs2());
}

}  // namespace tune::strategies
