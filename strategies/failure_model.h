#pragma once
// Where trials fail.
#include <Eigen/Core>

namespace tune::strategies {

// The probability that a trial at x fails: a kernel-weighted share of failed trials around it, shrunk to the
// overall share where there are none (Nadaraya 1964; Watson 1964). Widths are in unit coordinates, not in the
// length scales of the objective: out of memory has a border of its own. Immutable.
class FailureModel {
 public:
  // Rows of features of the trials that ended with a value, and of those that failed. groups: number of
  // length scales.
  FailureModel(const Eigen::MatrixXd& succeeded, const Eigen::MatrixXd& failed, Eigen::Index groups);

  double probability(const Eigen::VectorXd& x) const;
  // log(1 - probability) and its derivative by the features; 0 everywhere while nothing has failed.
  double log_success(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const;
  double log_success(const Eigen::VectorXd& x) const;

 private:
  Eigen::MatrixXd succeeded_, failed_;
  double inverse_width_squared_;
  double overall_;
};

}  // namespace tune::strategies
