#include "strategies/failure_model.h"

#include <cmath>

namespace tune::strategies {
namespace {

constexpr double kWidth = 0.2;      // of one coordinate; distances grow with the root of the number of them
constexpr double kPriorWeight = 1;  // counts as one trial right at x

// sum of weights exp(-r^2 / 2 width^2), and its derivative.
double weight_sum(const Eigen::MatrixXd& points, const Eigen::VectorXd& x, double inverse_width_squared,
                  Eigen::VectorXd* gradient) {
  if (points.rows() == 0) return 0;
  const Eigen::MatrixXd difference = points.rowwise() - x.transpose();
  const Eigen::VectorXd weight =
      (-0.5 * inverse_width_squared * difference.rowwise().squaredNorm().array()).exp().matrix();
  if (gradient) *gradient += inverse_width_squared * (difference.transpose() * weight);
  return weight.sum();
}

}  // namespace

FailureModel::FailureModel(const Eigen::MatrixXd& succeeded, const Eigen::MatrixXd& failed,
                           Eigen::Index groups)
    : succeeded_(succeeded), failed_(failed) {
  inverse_width_squared_ = 1 / (kWidth * kWidth * std::max(1.0, static_cast<double>(groups)));
  const auto bad = static_cast<double>(failed.rows());
  overall_ = (bad + 0.5) / (bad + static_cast<double>(succeeded.rows()) + 1);
}

double FailureModel::probability(const Eigen::VectorXd& x) const { return -std::expm1(log_success(x)); }

double FailureModel::log_success(const Eigen::VectorXd& x) const {
  if (failed_.rows() == 0) return 0;
  const double good = weight_sum(succeeded_, x, inverse_width_squared_, nullptr);
  const double bad = weight_sum(failed_, x, inverse_width_squared_, nullptr);
  return std::log((good + kPriorWeight * (1 - overall_)) / (good + bad + kPriorWeight));
}

double FailureModel::log_success(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const {
  gradient = Eigen::VectorXd::Zero(x.size());
  if (failed_.rows() == 0) return 0;
  Eigen::VectorXd good_gradient = gradient, bad_gradient = gradient;
  const double good = weight_sum(succeeded_, x, inverse_width_squared_, &good_gradient);
  const double bad = weight_sum(failed_, x, inverse_width_squared_, &bad_gradient);
  const double top = good + kPriorWeight * (1 - overall_), bottom = good + bad + kPriorWeight;
  gradient = good_gradient / top - (good_gradient + bad_gradient) / bottom;
  return std::log(top / bottom);
}

}  // namespace tune::strategies
