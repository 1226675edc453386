#include "strategies/surrogate.h"

#include <algorithm>

namespace tune::strategies {
std::optional<GaussianProcess> SurrogateBuilder::observed_process(const Eigen::MatrixXd& features,
                                                                  const HyperparameterChain::Fit& fit) {
  const double noise = noise_variance_of(fit.theta);
  // A subset shares no prefix with the one before it.
  const Eigen::Index prefix = std::min(static_cast<Eigen::Index>(fit.observations), features.rows());
  const Eigen::MatrixXd head = features.topRows(prefix);
  if (!kept_ || kept_->theta != fit.theta || kept_->features.rows() != prefix || kept_->features != head) {
    GaussianProcess process(kernel_of(fit.theta, group_of_feature_));
    if (!process.append(head, Eigen::VectorXd::Constant(prefix, noise))) return std::nullopt;
    kept_ = Kept{fit.theta, head, std::move(process)};
  }
  GaussianProcess process = kept_->process;
  const Eigen::Index rest = features.rows() - prefix;
  if (!process.append(features.bottomRows(rest), Eigen::VectorXd::Constant(rest, noise))) return std::nullopt;
  return process;
}

std::optional<Surrogate> SurrogateBuilder::build(const ObservationTable& table, std::size_t first) {
  const auto fit = chain_.at(table, first);
  if (!fit) return std::nullopt;
  const OutputWarp warp = OutputWarp::fit(table.losses);
  const auto rows = representative_subset(table.losses, kMostObservations);
  const auto n = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd features(n, table.features.cols());
  Eigen::VectorXd targets(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t row = rows[static_cast<std::size_t>(i)];
    features.row(i) = table.features.row(static_cast<Eigen::Index>(row));
    targets[i] = warp(table.losses[row]);
  }
  auto process = observed_process(features, *fit);
  if (!process) return std::nullopt;
  process->set_targets(targets);
  if (!process->whitened().allFinite()) return std::nullopt;
  return Surrogate{std::move(*process), warp, std::move(targets), noise_variance_of(fit->theta)};
}

}  // namespace tune::strategies
