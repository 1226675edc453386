#include "strategies/surrogate.h"

#include <algorithm>

namespace tune::strategies {
namespace {

// In warped units, in which observations have variance 1.
constexpr double kFailurePenalty = 0.5;
constexpr double kFailureNoise = 0.25;

}  // namespace

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

std::optional<Surrogate> SurrogateBuilder::build(const EncodedHistory& history, std::size_t first) {
  const auto fit = chain_.at(history.observations, first);
  if (!fit) return std::nullopt;
  const auto& losses = history.observations.losses;
  const OutputWarp warp = OutputWarp::fit(losses);
  const auto rows = representative_subset(losses, kMostObservations);
  const auto n = static_cast<Eigen::Index>(rows.size()), failures = history.failed.rows();
  Eigen::MatrixXd features(n, history.observations.features.cols());
  Eigen::VectorXd targets(n + failures);
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::size_t row = rows[static_cast<std::size_t>(i)];
    features.row(i) = history.observations.features.row(static_cast<Eigen::Index>(row));
    targets[i] = warp(losses[row]);
  }
  targets.tail(failures).setConstant(targets.head(n).maxCoeff() + kFailurePenalty);
  auto process = observed_process(features, *fit);
  if (!process) return std::nullopt;
  const double failure_noise = noise_variance_of(fit->theta) + kFailureNoise;
  if (!process->append(history.failed, Eigen::VectorXd::Constant(failures, failure_noise)))
    return std::nullopt;
  process->set_targets(targets);
  if (!process->whitened().allFinite()) return std::nullopt;
  return Surrogate{std::move(*process), warp};
}

}  // namespace tune::strategies
