#pragma once
// What a Gaussian process may turn out to be where it matters.
#include <Eigen/Core>
#include <cstdint>
#include <optional>

#include "strategies/gaussian_process.h"

namespace tune::strategies {

// Joint draws of the noiseless function at `baseline`, and the process conditioned on each of them. All draws
// share their variances, so one extended factor and one weight vector each serve them (Letham et al.,
// "Constrained Bayesian Optimization with Noisy Experiments", 2019). Draws are quasi-random: the same
// arguments give the same ones. Immutable; in units of the process's targets.
class Fantasies {
 public:
  static constexpr std::uint32_t kCount = 16;

  // `baseline`: at least one row of features, which is appended to the process; that has to stay as it is
  // then. nullopt when the extended covariance cannot be factored.
  static std::optional<Fantasies> make(GaussianProcess& process, const Eigen::MatrixXd& baseline,
                                       std::uint64_t seed);

  // One row a point of the baseline, one column a fantasy.
  const Eigen::MatrixXd& draws() const { return draws_; }

  struct Predictions {
    Eigen::MatrixXd means;       // one row a fantasy, one column a point
    Eigen::VectorXd deviations;  // of each point
  };
  Predictions predict(const Eigen::MatrixXd& points) const;

  // At one point, with what its gradient needs.
  struct At {
    Eigen::VectorXd means;  // one a fantasy
    double deviation = 0;
    bool at_floor = false;  // the deviation is the least there is, and does not move
    Eigen::VectorXd slope, whitened;
  };
  At predict(const Eigen::VectorXd& x) const;
  // By the features of x, of something that has these derivatives by the means and by the deviation.
  Eigen::VectorXd gradient(const Eigen::VectorXd& x, const At& at, const Eigen::VectorXd& by_mean,
                           double by_deviation) const;

 private:
  explicit Fantasies(const GaussianProcess& extended) : extended_(&extended) {}
  double deviation(double explained) const;

  const GaussianProcess* extended_;
  Eigen::MatrixXd draws_;
  Eigen::MatrixXd weights_;  // one column a fantasy
  double mean_ = 0;
};

}  // namespace tune::strategies
