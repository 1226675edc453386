#include "strategies/failure_model.h"

#include <cmath>

#include "strategies/normal_distribution.h"

namespace tune::strategies {
namespace {

// Keeps the border between outcomes this wide (warped units, squared), however many trials lie along it.
constexpr double kSmallestVariance = 0.02;

}  // namespace

FailureModel FailureModel::fit(const EncodedHistory& history, SurrogateBuilder& builder) {
  FailureModel model;
  if (history.failed == 0 || history.observations.size() == 0) return model;
  model.surrogate_ = builder.build(history.outcomes);
  if (!model.surrogate_) return model;
  const OutputWarp& warp = model.surrogate_->warp;
  model.border_ = (warp(EncodedHistory::kFailed) + warp(EncodedHistory::kSucceeded)) / 2;
  return model;
}

double FailureModel::margin(const Prediction& at) const {
  return (border_ - at.mean) / std::sqrt(at.variance + kSmallestVariance);
}

double FailureModel::log_success(const Eigen::VectorXd& x) const {
  return surrogate_ ? log_cumulative(margin(surrogate_->process->predict(x))).value : 0;
}

double FailureModel::log_success(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const {
  gradient = Eigen::VectorXd::Zero(x.size());
  if (!surrogate_) return 0;
  Eigen::VectorXd mean_gradient, variance_gradient;
  const Prediction at = surrogate_->process->predict(x, mean_gradient, variance_gradient);
  const double total = at.variance + kSmallestVariance, u = margin(at);
  const LogCumulative result = log_cumulative(u);
  gradient = result.slope * (-mean_gradient / std::sqrt(total) - (0.5 * u / total) * variance_gradient);
  return result.value;
}

Eigen::VectorXd FailureModel::log_successes(const Eigen::MatrixXd& points) const {
  Eigen::VectorXd values = Eigen::VectorXd::Zero(points.rows());
  if (!surrogate_) return values;
  const auto predictions = surrogate_->process->predict_rows(points);
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    values[i] = log_cumulative(margin(predictions[static_cast<std::size_t>(i)])).value;
  return values;
}

}  // namespace tune::strategies
