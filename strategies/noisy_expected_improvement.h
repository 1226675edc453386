#pragma once
// The acquisition function: expected improvement over an incumbent that noise hides and pending trials may
// beat.
#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <utility>

#include "strategies/fantasies.h"

namespace tune::strategies {

// log of expected improvement averaged over fantasies (Letham et al., "Constrained Bayesian Optimization with
// Noisy Experiments", 2019; the logarithm as in Ament et al., NeurIPS 2023). Each fantasy is a joint draw of
// the noiseless function at `baseline`: the points that may be the best, and those of pending trials.
// Conditioned on it, the incumbent is its minimum and expected improvement has a closed form. The same
// arguments give the same function. Immutable; values are in units of the process's targets, smaller targets
// being better.
class NoisyExpectedImprovement {
 public:
  // As Fantasies::make.
  static std::optional<NoisyExpectedImprovement> make(GaussianProcess& process,
                                                      const Eigen::MatrixXd& baseline, std::uint64_t seed);

  // At each row.
  Eigen::VectorXd values(const Eigen::MatrixXd& points) const;
  // At one point, with the derivative by its features.
  double value(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const;

 private:
  explicit NoisyExpectedImprovement(Fantasies fantasies)
      : fantasies_(std::move(fantasies)), incumbents_(fantasies_.draws().colwise().minCoeff()) {}

  Fantasies fantasies_;
  Eigen::VectorXd incumbents_;  // one a fantasy
};

}  // namespace tune::strategies
