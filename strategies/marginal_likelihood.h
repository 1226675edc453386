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
// log p(targets | theta, mean) + log p(mean) + log p(theta) (Rasmussen & Williams 2006, equations 5.8
// and 5.9); the mean's gradient vanishes at its optimum. features: one row a target. nullopt where the
// covariance cannot be factored. O(n^3 + n^2 features).
std::optional<LogPosterior> log_posterior(const Eigen::MatrixXd& features,
                                          const std::vector<Eigen::Index>& group_of_feature,
                                          const Eigen::VectorXd& targets, const ThetaPrior& prior,
                                          const Theta& theta);

// The value alone, at a third of the cost.
std::optional<double> log_posterior_value(const Eigen::MatrixXd& features,
                                          const std::vector<Eigen::Index>& group_of_feature,
                                          const Eigen::VectorXd& targets, const ThetaPrior& prior,
                                          const Theta& theta);

}  // namespace tune::strategies
