#pragma once
// The acquisition function of two objectives: how much a trial is expected to add to what the front
// dominates.
#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "strategies/fantasies.h"
#include "strategies/hypervolume_gain.h"

namespace tune::strategies {

// log of the expected improvement of the hypervolume that the front dominates within a reference point, under
// independent Gaussian processes of the two objectives, averaged over fantasies. Each fantasy is a joint draw
// of both noiseless functions at `baseline`: the points that may be on the front, and those of pending
// trials. Conditioned on it the front is known, and the expectation has a closed form (log_hypervolume_gain;
// over fantasies as in Daulton, Balandat & Bakshy, "Parallel Bayesian Optimization of Multiple Noisy
// Objectives with Expected Hypervolume Improvement", NeurIPS 2021). Immutable; smaller targets are better.
class ExpectedHypervolumeImprovement {
 public:
  // `baseline` is appended to both processes, which have to stay as they are then. nullopt when an extended
  // covariance cannot be factored.
  static std::optional<ExpectedHypervolumeImprovement> make(GaussianProcess& first, GaussianProcess& second,
                                                            const Eigen::MatrixXd& baseline,
                                                            const LossPair& reference, std::uint64_t seed);

  // At each row.
  Eigen::VectorXd values(const Eigen::MatrixXd& points) const;
  // At one point, with the derivative by its features.
  double value(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const;

 private:
  ExpectedHypervolumeImprovement(Fantasies first, Fantasies second, std::vector<FrontStrips> strips)
      : first_(std::move(first)), second_(std::move(second)), strips_(std::move(strips)) {}

  Fantasies first_, second_;
  std::vector<FrontStrips> strips_;  // one a fantasy
};

}  // namespace tune::strategies
