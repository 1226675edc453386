#include "strategies/surrogate.h"

#include <algorithm>

namespace tune::strategies {

std::optional<GaussianProcess> SurrogateBuilder::observed_process(const Eigen::MatrixXd& features,
                                                                  const Theta& theta) {
  if (!kept_ || kept_->theta != theta)
    kept_ = Kept{theta, GaussianProcess(kernel_of(theta, group_of_feature_))};
  GaussianProcess& kept = kept_->process;
  const double noise = noise_variance_of(theta);
  const Eigen::Index full = features.rows() / kBlock * kBlock;
  const Eigen::MatrixXd& points = kept.points();
  Eigen::Index same = 0;
  while (same < std::min(points.rows(), full) && points.row(same) == features.row(same)) ++same;
  kept.truncate(same / kBlock * kBlock);
  const auto append = [&](GaussianProcess& process, Eigen::Index count) {
    return process.append(features.middleRows(process.size(), count),
                          Eigen::VectorXd::Constant(count, noise));
  };
  while (kept.size() < full)
    if (!append(kept, kBlock)) return std::nullopt;
  GaussianProcess process = kept;
  if (!append(process, features.rows() - full)) return std::nullopt;
  return process;
}

std::optional<Surrogate> SurrogateBuilder::build(const ObservationTable& table) {
  const auto theta = schedule_.at(table);
  if (!theta) return std::nullopt;
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
  auto process = observed_process(features, *theta);
  if (!process) return std::nullopt;
  process->set_targets(targets);
  if (!process->whitened().allFinite()) return std::nullopt;
  return Surrogate{std::move(*process), warp, rows, std::move(targets), noise_variance_of(*theta)};
}

}  // namespace tune::strategies
