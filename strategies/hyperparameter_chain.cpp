#include "strategies/hyperparameter_chain.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "strategies/lbfgs.h"
#include "strategies/normal_distribution.h"
#include "strategies/output_warp.h"
#include "strategies/sobol_sequence.h"

namespace tune::strategies {
namespace {

// hashes[i]: of the first i observations.
std::vector<std::uint64_t> prefix_hashes(const ObservationTable& table) {
  std::vector<std::uint64_t> hashes{0x5eed};
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::uint64_t hash = mix_bits(hashes.back(), std::bit_cast<std::uint64_t>(table.losses[i]));
    for (Eigen::Index f = 0; f < table.features.cols(); ++f) {
      hash = mix_bits(hash, std::bit_cast<std::uint64_t>(table.features(static_cast<Eigen::Index>(i), f)));
    }
    hashes.push_back(hash);
  }
  return hashes;
}

// Starts spread over the prior: quasi-random and always the same.
Theta prior_draw(const ThetaPrior& prior, std::uint32_t index) {
  const SobolSequence sequence(static_cast<std::size_t>(prior.mean.size()), 0x7e7a);
  const auto point = sequence.point(index);
  Theta theta = prior.mean;
  for (Eigen::Index i = 0; i < theta.size(); ++i) {
    const double p = std::clamp(point[static_cast<std::size_t>(i)], 1e-6, 1 - 1e-6);
    theta[i] += prior.deviation[i] * normal_quantile(p);
  }
  return theta.cwiseMax(prior.lower).cwiseMin(prior.upper);
}

}  // namespace

std::vector<std::size_t> representative_subset(const std::vector<double>& losses, std::size_t most) {
  std::vector<std::size_t> order(losses.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (losses.size() <= most) return order;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return losses[a] < losses[b]; });
  const std::size_t best = most / 4, rest = most - best;
  std::vector<std::size_t> chosen(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best));
  std::vector<std::size_t> others(order.begin() + static_cast<std::ptrdiff_t>(best), order.end());
  std::sort(others.begin(), others.end());
  for (std::size_t i = 0; i < rest; ++i) chosen.push_back(others[i * others.size() / rest]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::optional<Theta> fit_theta(const Eigen::MatrixXd& features,
                               const std::vector<Eigen::Index>& group_of_feature,
                               const Eigen::VectorXd& targets, const std::optional<Theta>& start,
                               int restarts) {
  const Eigen::Index groups = group_of_feature.empty() ? 0 : group_of_feature.back() + 1;
  const ThetaPrior prior = theta_prior(groups);
  const SmoothFunction loss = [&](const Eigen::VectorXd& theta, Eigen::VectorXd& gradient) {
    const auto posterior = log_posterior(features, group_of_feature, targets, prior, theta);
    if (!posterior) return std::numeric_limits<double>::infinity();
    gradient = -posterior->gradient;
    return -posterior->value;
  };
  constexpr int kWarmIterations = 30, kColdIterations = 60;
  std::optional<Theta> best;
  double best_value = std::numeric_limits<double>::infinity();
  const auto improve_from = [&](const Theta& from, int iterations) {
    const BoxMinimum found =
        minimize_in_box(loss, from, prior.lower, prior.upper, {.iterations = iterations});
    if (found.value < best_value) best = found.x, best_value = found.value;
  };
  if (start) improve_from(*start, kWarmIterations);
  if (!start || !best) improve_from(prior.mean, kColdIterations);
  for (int i = 0; i < restarts; ++i)
    improve_from(prior_draw(prior, static_cast<std::uint32_t>(i)), kColdIterations);
  return best;
}

std::size_t HyperparameterChain::refit_point(std::size_t count) {
  if (count <= 100) return count;
  if (count <= 300) return count - count % 5;
  if (count <= 1000) return count - count % 20;
  return count - count % 50;
}

std::optional<Theta> HyperparameterChain::fit_prefix(const ObservationTable& table, std::size_t count,
                                                     const std::optional<Theta>& start) const {
  std::vector<double> losses(table.losses.begin(), table.losses.begin() + static_cast<std::ptrdiff_t>(count));
  const OutputWarp warp = OutputWarp::fit(losses);
  const auto rows = representative_subset(losses, kMostFitted);
  Eigen::MatrixXd features(static_cast<Eigen::Index>(rows.size()), table.features.cols());
  Eigen::VectorXd targets(static_cast<Eigen::Index>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto to = static_cast<Eigen::Index>(i);
    features.row(to) = table.features.row(static_cast<Eigen::Index>(rows[i]));
    targets[to] = warp(losses[rows[i]]);
  }
  constexpr int kRestarts = 2;
  return fit_theta(features, group_of_feature_, targets, start, start ? 0 : kRestarts);
}

std::optional<HyperparameterChain::Fit> HyperparameterChain::at(const ObservationTable& table,
                                                                std::size_t first) {
  std::vector<std::size_t> points;
  for (std::size_t count = first; count <= table.size(); ++count) {
    if (refit_point(count) == count || count == first) points.push_back(count);
  }
  const auto hashes = prefix_hashes(table);
  const auto known = [&](std::size_t point) {
    const auto link = links_.find(point);
    return link != links_.end() && link->second.hash == hashes[point];
  };
  const std::size_t last = points.size() - 1, cold = last - last % kColdEvery;
  std::size_t next = last + 1;
  while (next > cold && !known(points[next - 1])) --next;
  std::optional<Theta> theta;
  if (next > cold) theta = links_[points[next - 1]].theta;
  for (; next <= last; ++next) {
    theta = fit_prefix(table, points[next], next == cold ? std::nullopt : theta);
    links_[points[next]] = {hashes[points[next]], theta};
  }
  if (!theta) return std::nullopt;
  return Fit{*theta, points[last]};
}

}  // namespace tune::strategies
