#include "strategies/kernel.h"

#include "strategies/dense_algebra.h"

namespace tune::strategies {

Kernel::Kernel(const Eigen::VectorXd& lengths, double signal_variance,
               const std::vector<Eigen::Index>& group_of_feature)
    : signal_variance_(signal_variance),
      inverse_lengths_(static_cast<Eigen::Index>(group_of_feature.size())) {
  for (std::size_t f = 0; f < group_of_feature.size(); ++f)
    inverse_lengths_[static_cast<Eigen::Index>(f)] = 1 / lengths[group_of_feature[f]];
}

Eigen::MatrixXd Kernel::covariance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const {
  const Eigen::MatrixXd over_a = a * inverse_lengths_.asDiagonal(),
                        over_b = b * inverse_lengths_.asDiagonal();
  Eigen::MatrixXd result(a.rows(), b.rows());
  matern52(over_a, over_b, signal_variance_, false, result, nullptr);
  return result;
}

Eigen::VectorXd Kernel::covariance(const Eigen::MatrixXd& points, const Eigen::VectorXd& x,
                                   Eigen::VectorXd& slope) const {
  const Eigen::MatrixXd over_points = points * inverse_lengths_.asDiagonal(),
                        over_x = x.cwiseProduct(inverse_lengths_).transpose();
  Eigen::VectorXd result(points.rows());
  slope.resize(points.rows());
  Matrix slope_part(slope);
  matern52(over_points, over_x, signal_variance_, false, result, &slope_part);
  return result;
}

Eigen::VectorXd Kernel::gradient(const Eigen::MatrixXd& points, const Eigen::VectorXd& x,
                                 const Eigen::VectorXd& slope, const Eigen::VectorXd& weight) const {
  const Eigen::VectorXd q = slope.cwiseProduct(weight);
  const Eigen::VectorXd difference = x * q.sum() - points.transpose() * q;
  return 2 * difference.cwiseProduct(inverse_lengths_.cwiseAbs2());
}

}  // namespace tune::strategies
