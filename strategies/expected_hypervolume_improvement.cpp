#include "strategies/expected_hypervolume_improvement.h"

#include <cmath>

namespace tune::strategies {

std::optional<ExpectedHypervolumeImprovement> ExpectedHypervolumeImprovement::make(
    GaussianProcess& first, GaussianProcess& second, const Eigen::MatrixXd& baseline,
    const LossPair& reference, std::uint64_t seed) {
  auto one = Fantasies::make(first, baseline, seed), two = Fantasies::make(second, baseline, seed + 1);
  if (!one || !two) return std::nullopt;
  std::vector<FrontStrips> strips;
  std::vector<LossPair> points(static_cast<std::size_t>(baseline.rows()));
  for (Eigen::Index s = 0; s < Fantasies::kCount; ++s) {
    for (Eigen::Index i = 0; i < baseline.rows(); ++i)
      points[static_cast<std::size_t>(i)] = {one->draws()(i, s), two->draws()(i, s)};
    strips.push_back(strips_of(points, reference));
  }
  return ExpectedHypervolumeImprovement(std::move(*one), std::move(*two), std::move(strips));
}

Eigen::VectorXd ExpectedHypervolumeImprovement::values(const Eigen::MatrixXd& points) const {
  const Fantasies::Predictions one = first_.predict(points), two = second_.predict(points);
  Eigen::VectorXd result(points.rows());
  Eigen::ArrayXd logs(Fantasies::kCount);
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    for (Eigen::Index s = 0; s < logs.size(); ++s)
      logs[s] = log_hypervolume_gain(strips_[static_cast<std::size_t>(s)], {one.means(s, i), two.means(s, i)},
                                     {one.deviations[i], two.deviations[i]})
                    .value;
    const double top = logs.maxCoeff();
    result[i] = top + std::log((logs - top).exp().mean());
  }
  return result;
}

double ExpectedHypervolumeImprovement::value(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) const {
  const Fantasies::At one = first_.predict(x), two = second_.predict(x);
  Eigen::ArrayXd logs(Fantasies::kCount);
  std::array<Eigen::ArrayXd, 2> by_mean{logs, logs}, by_deviation{logs, logs};
  for (Eigen::Index s = 0; s < logs.size(); ++s) {
    const LogHypervolumeGain gain = log_hypervolume_gain(
        strips_[static_cast<std::size_t>(s)], {one.means[s], two.means[s]}, {one.deviation, two.deviation});
    logs[s] = gain.value;
    for (std::size_t j = 0; j < 2; ++j)
      by_mean[j][s] = gain.by_mean[j], by_deviation[j][s] = gain.by_deviation[j];
  }
  const double top = logs.maxCoeff();
  const Eigen::ArrayXd share = (logs - top).exp() / (logs - top).exp().sum();
  gradient = first_.gradient(x, one, (share * by_mean[0]).matrix(), (share * by_deviation[0]).sum()) +
             second_.gradient(x, two, (share * by_mean[1]).matrix(), (share * by_deviation[1]).sum());
  return top + std::log((logs - top).exp().mean());
}

}  // namespace tune::strategies
