#pragma once
// The Matern-5/2 kernel with a length scale for each group of features.
#include <Eigen/Core>
#include <vector>

namespace tune::strategies {

// k(x, x') = s2 (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r), r^2 = sum over features of ((x_f - x'_f) /
// l_group(f))^2 (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, equation 4.17).
// Points are rows.
class Kernel {
 public:
  // Lengths by group, > 0. group_of_feature: one group index a feature.
  Kernel(const Eigen::VectorXd& lengths, double signal_variance,
         const std::vector<Eigen::Index>& group_of_feature);

  double signal_variance() const { return signal_variance_; }
  const Eigen::VectorXd& inverse_lengths() const { return inverse_lengths_; }  // by feature

  // n x m covariances between the rows of a and of b.
  Eigen::MatrixXd covariance(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const;
  // Covariances of x with every row of `points`, and `slope`: d k_i / d (r_i^2).
  Eigen::VectorXd covariance(const Eigen::MatrixXd& points, const Eigen::VectorXd& x,
                             Eigen::VectorXd& slope) const;
  // sum_i weight_i d k(x, points_i) / d x, from the slopes above.
  Eigen::VectorXd gradient(const Eigen::MatrixXd& points, const Eigen::VectorXd& x,
                           const Eigen::VectorXd& slope, const Eigen::VectorXd& weight) const;

 private:
  double signal_variance_;
  Eigen::VectorXd inverse_lengths_;
};

}  // namespace tune::strategies
