#include "strategies/surrogate.h"

#include <algorithm>

namespace tune::strategies {

std::shared_ptr<GaussianProcess> SurrogateBuilder::observed_process(const Eigen::MatrixXd& features,
                                                                    const Eigen::VectorXd& noise,
                                                                    const Theta& theta) {
  if (!kept_ || kept_->theta != theta)
    kept_ = Kept{theta, std::make_shared<GaussianProcess>(kernel_of(theta, group_of_feature_))};
  if (kept_->process.use_count() > 1) kept_->process = std::make_shared<GaussianProcess>(*kept_->process);
  GaussianProcess& process = *kept_->process;
  const Eigen::MatrixXd& points = process.points();
  const Eigen::Index most = std::min({points.rows(), features.rows(), kept_->noise.size()});
  Eigen::Index same = 0;
  while (same < most && points.row(same) == features.row(same) && kept_->noise[same] == noise[same]) ++same;
  process.truncate(std::min(same, kept_->in_blocks) / kBlock * kBlock);
  kept_->in_blocks = features.rows() / kBlock * kBlock;
  kept_->noise = noise;
  while (process.size() < features.rows()) {
    const Eigen::Index count = std::min(kBlock, features.rows() - process.size());
    if (process.append(features.middleRows(process.size(), count), noise.segment(process.size(), count)))
      continue;
    kept_.reset();
    return nullptr;
  }
  return kept_->process;
}

std::optional<Surrogate> SurrogateBuilder::build(const ObservationTable& table) {
  const auto theta = schedule_.at(table);
  if (!theta) return std::nullopt;
  const OutputWarp warp = OutputWarp::fit(table.losses);
  const auto rows = representative_subset(table.losses, kMostObservations);
  const auto n = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd features(n, table.features.cols());
  Eigen::VectorXd targets(n), noise = Eigen::VectorXd::Constant(n, noise_variance_of(*theta));
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t row = rows[static_cast<std::size_t>(i)];
    features.row(i) = table.features.row(static_cast<Eigen::Index>(row));
    targets[i] = warp(table.losses[row]);
    if (!table.deviations.empty()) noise[i] += warp.variance(table.losses[row], table.deviations[row]);
  }
  const auto process = observed_process(features, noise, *theta);
  if (!process) return std::nullopt;
  process->set_targets(targets);
  if (!process->whitened().allFinite()) return std::nullopt;
  return Surrogate{process, warp, rows, std::move(targets), std::move(noise), noise_variance_of(*theta)};
}

}  // namespace tune::strategies
