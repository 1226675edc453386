#pragma once
// The model of the objective that a history calls for.
#include <memory>
#include <optional>

#include "strategies/gaussian_process.h"
#include "strategies/hyperparameter_schedule.h"
#include "strategies/output_warp.h"

namespace tune::strategies {

struct Surrogate {
  // The process of the warped losses. The surrogate may extend it; its builder goes on from it once nobody
  // else holds it.
  std::shared_ptr<GaussianProcess> process;
  OutputWarp warp;
  std::vector<std::size_t> rows;  // of the table, one a point
  Eigen::VectorXd targets;        // of the process's points
  Eigen::VectorXd noise;          // variance of each observation, warped
  double noise_variance;          // what of it all have in common
};

// Fits and conditions surrogates. The covariance of the observations is factored in blocks of kBlock rows,
// and the full blocks are kept for the next call: a kept one is the same to the last bit as one computed
// anew, since a block depends on the rows above it alone. Owned by a strategy; one thread.
class SurrogateBuilder {
 public:
  explicit SurrogateBuilder(std::vector<Eigen::Index> group_of_feature)
      : group_of_feature_(group_of_feature), schedule_(std::move(group_of_feature)) {}

  // nullopt when no parameters can be fitted or no covariance factored. The table is not empty.
  std::optional<Surrogate> build(const ObservationTable& table);

  // Beyond so many observations the best quarter of this number and an even choice of the others stand for
  // all: O(n^3).
  static constexpr std::size_t kMostObservations = 1000;
  static constexpr Eigen::Index kBlock = 32;

 private:
  struct Kept {
    Theta theta;
    std::shared_ptr<GaussianProcess> process;
    Eigen::VectorXd noise = {};
    Eigen::Index in_blocks = 0;  // points of full blocks; those behind them are of one suggestion
  };
  std::shared_ptr<GaussianProcess> observed_process(const Eigen::MatrixXd& features,
                                                    const Eigen::VectorXd& noise, const Theta& theta);

  std::vector<Eigen::Index> group_of_feature_;
  HyperparameterSchedule schedule_;
  std::optional<Kept> kept_;
};

}  // namespace tune::strategies
