#pragma once
// Where trials fail.
#include <Eigen/Core>
#include <optional>

#include "strategies/encoded_history.h"
#include "strategies/surrogate.h"

namespace tune::strategies {

// The probability that trials at x succeed rather than fail: a Gaussian process of its own on the outcomes
// (failed 1, succeeded -1), which finds which parameters matter for failing, and the probability that its
// noiseless value is on the side of success (regression on labels, Rasmussen & Williams 2006, section 6.5;
// the product with expected improvement as in Gelbart, Snoek & Adams, "Bayesian Optimization with Unknown
// Constraints", UAI 2014). Its noise stands for crashes that have nothing to do with the parameters: they
// move it little. Immutable.
class FailureModel {
 public:
  // Nothing fails.
  FailureModel() = default;
  // Nothing is known to fail, and success is certain, while outcomes are all equal or cannot be fitted.
  static FailureModel fit(const EncodedHistory& history, SurrogateBuilder& builder);

  double log_success(const Eigen::VectorXd& x) const;
  double log_success(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const;  // by features
  Eigen::VectorXd log_successes(const Eigen::MatrixXd& points) const;             // at each row

 private:
  double margin(const Prediction& at) const;

  std::optional<Surrogate> surrogate_;
  double border_ = 0;  // midway between the outcomes, warped
};

}  // namespace tune::strategies
