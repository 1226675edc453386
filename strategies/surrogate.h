#pragma once
// The model of the objective that a history calls for.
#include <optional>

#include "strategies/gaussian_process.h"
#include "strategies/hyperparameter_chain.h"
#include "strategies/output_warp.h"

namespace tune::strategies {

struct Surrogate {
  GaussianProcess process;  // of warped losses
  OutputWarp warp;
  Eigen::VectorXd targets;  // of the process's points
  double noise_variance;    // of one observation, warped
};

// Fits and conditions surrogates. The factor of the observations up to the last refit is kept for the next
// call, always computed in the same order, so that a kept one is the same to the last bit. Owned by a
// strategy; one thread.
class SurrogateBuilder {
 public:
  explicit SurrogateBuilder(std::vector<Eigen::Index> group_of_feature)
      : group_of_feature_(group_of_feature), chain_(std::move(group_of_feature)) {}

  // `first`: see HyperparameterChain::at. nullopt when no parameters can be fitted or no covariance factored.
  std::optional<Surrogate> build(const ObservationTable& table, std::size_t first);

  // Beyond so many observations the best quarter of this number and an even choice of the others stand for
  // all: O(n^3).
  static constexpr std::size_t kMostObservations = 1000;

 private:
  struct Kept {
    Theta theta;
    Eigen::MatrixXd features;
    GaussianProcess process;
  };
  std::optional<GaussianProcess> observed_process(const Eigen::MatrixXd& features,
                                                  const HyperparameterChain::Fit& fit);

  std::vector<Eigen::Index> group_of_feature_;
  HyperparameterChain chain_;
  std::optional<Kept> kept_;
};

}  // namespace tune::strategies
