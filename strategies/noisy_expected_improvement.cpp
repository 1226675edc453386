#include "strategies/noisy_expected_improvement.h"

#include <cmath>

#include "strategies/normal_distribution.h"

namespace tune::strategies {

std::optional<NoisyExpectedImprovement> NoisyExpectedImprovement::make(GaussianProcess& process,
                                                                       const Eigen::MatrixXd& baseline,
                                                                       std::uint64_t seed) {
  auto fantasies = Fantasies::make(process, baseline, seed);
  if (!fantasies) return std::nullopt;
  return NoisyExpectedImprovement(std::move(*fantasies));
}

Eigen::VectorXd NoisyExpectedImprovement::values(const Eigen::MatrixXd& points) const {
  const Fantasies::Predictions at = fantasies_.predict(points);
  Eigen::VectorXd result(points.rows());
  Eigen::ArrayXd logs(incumbents_.size());
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const double sigma = at.deviations[i];
    for (Eigen::Index s = 0; s < logs.size(); ++s)
      logs[s] = log_improvement((incumbents_[s] - at.means(s, i)) / sigma).value;
    const double top = logs.maxCoeff();
    result[i] = std::log(sigma) + top + std::log((logs - top).exp().mean());
  }
  return result;
}

double NoisyExpectedImprovement::value(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const {
  const Fantasies::At at = fantasies_.predict(x);
  const double sigma = at.deviation;
  const Eigen::Index count = incumbents_.size();
  Eigen::ArrayXd logs(count), by_mean(count), by_sigma(count);
  for (Eigen::Index s = 0; s < count; ++s) {
    const double u = (incumbents_[s] - at.means[s]) / sigma;
    const LogImprovement h = log_improvement(u);
    logs[s] = h.value;
    by_mean[s] = -h.slope / sigma;
    by_sigma[s] = (1 - u * h.slope) / sigma;
  }
  const double top = logs.maxCoeff();
  const Eigen::ArrayXd share = (logs - top).exp() / (logs - top).exp().sum();
  gradient = fantasies_.gradient(x, at, (share * by_mean).matrix(), (share * by_sigma).sum());
  return std::log(sigma) + top + std::log((logs - top).exp().mean());
}

}  // namespace tune::strategies
