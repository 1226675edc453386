#pragma once
// How well kernel parameters explain the observations, with the gradient.
#include <Eigen/Core>
#include <optional>
#include <vector>

#include "strategies/kernel.h"

namespace tune::strategies {

// theta = (log length of each group..., log signal variance, log noise variance), in units of standardised
// targets.
using Theta = Eigen::VectorXd;

Kernel kernel_of(const Theta& theta, const std::vector<Eigen::Index>& group_of_feature);
double noise_variance_of(const Theta& theta);

// Independent normal priors on theta: lengths of mode 0.5 d^(1/4), growing with the number d of groups as
// distances do, unit signal, and little noise; and the box in which theta is searched.
struct ThetaPrior {
  Eigen::VectorXd mean, deviation, lower, upper;
};
ThetaPrior theta_prior(Eigen::Index groups);

// The constant mean of the process has the prior N(0, kMeanDeviation^2) and takes its most probable value
// given theta.
constexpr double kMeanDeviation = 1;

struct LogPosterior {
  double value;
  Eigen::VectorXd gradient;  // by theta
};

// log p(targets | theta, mean) + log p(mean) + log p(theta) as a function of theta (Rasmussen & Williams
// 2006, equations 5.8 and 5.9); the mean's gradient vanishes at its optimum. features: one row a target.
// nullopt where the covariance cannot be factored. O(n^3 + n^2 features). Keeps its matrices for the next
// call, since fresh memory costs as much as a small fit. One thread.
class LogPosteriorFunction {
 public:
  // `noise`: a variance of each target beside theta's; empty where there is none.
  LogPosteriorFunction(const Eigen::MatrixXd& features, std::vector<Eigen::Index> group_of_feature,
                       Eigen::VectorXd targets, Eigen::VectorXd noise = {});

  std::optional<LogPosterior> operator()(const Theta& theta);
  // The value alone, at a third of the cost.
  std::optional<double> value(const Theta& theta);
  const ThetaPrior& prior() const { return prior_; }

 private:
  bool condition(const Theta& theta, bool with_slope);
  double log_density(const Theta& theta) const;

  Eigen::MatrixXd features_;  // centred
  std::vector<Eigen::Index> group_of_feature_;
  Eigen::VectorXd targets_, noise_;
  ThetaPrior prior_;
  // For the theta last seen: features over lengths, the kernel, its slopes, the factor and the inverse of the
  // covariance (lower halves), and L^-1 (targets - mean).
  Eigen::MatrixXd z_, signal_, slope_, lower_, inverse_;
  Eigen::VectorXd whitened_;
  double mean_ = 0;
};

}  // namespace tune::strategies
