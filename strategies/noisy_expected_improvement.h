#pragma once
// The acquisition function: expected improvement over an incumbent that noise hides and pending trials may
// beat.
#include <Eigen/Core>
#include <cstdint>
#include <optional>

#include "strategies/gaussian_process.h"

namespace tune::strategies {

// log of expected improvement averaged over fantasies (Letham et al., "Constrained Bayesian Optimization with
// Noisy Experiments", 2019; the logarithm as in Ament et al., NeurIPS 2023). Each fantasy is a joint draw of
// the noiseless function at `baseline`: the points that may be the best, and those of pending trials.
// Conditioned on it, the incumbent is its minimum and expected improvement has a closed form. All fantasies
// share their variances, so one extended factor and one weight vector each serve them. Draws are
// quasi-random: the same arguments give the same function. Immutable; values are in units of the process's
// targets, smaller targets being better.
class NoisyExpectedImprovement {
 public:
  static constexpr std::uint32_t kFantasies = 16;

  // `baseline`: at least one row of features, which is appended to the process; that has to stay as it is
  // then. nullopt when the extended covariance cannot be factored.
  static std::optional<NoisyExpectedImprovement> make(GaussianProcess& process,
                                                      const Eigen::MatrixXd& baseline, std::uint64_t seed);

  // At each row.
  Eigen::VectorXd values(const Eigen::MatrixXd& points) const;
  // At one point, with the derivative by its features.
  double value(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const;

 private:
  explicit NoisyExpectedImprovement(const GaussianProcess& extended) : extended_(extended) {}
  double deviation(double explained) const;

  const GaussianProcess& extended_;
  Eigen::MatrixXd weights_;     // one column a fantasy
  Eigen::VectorXd incumbents_;  // one a fantasy
  double mean_ = 0;
};

}  // namespace tune::strategies
