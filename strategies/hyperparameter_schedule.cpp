#include "strategies/hyperparameter_schedule.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "strategies/lbfgs.h"
#include "strategies/output_warp.h"
#include "strategies/sobol_sequence.h"

namespace tune::strategies {
namespace {

std::uint64_t hash_of(const ObservationTable& table) {
  std::uint64_t hash = 0x5eed;
  for (const double loss : table.losses) hash = mix_bits(hash, std::bit_cast<std::uint64_t>(loss));
  for (const double deviation : table.deviations)
    hash = mix_bits(hash, std::bit_cast<std::uint64_t>(deviation));
  for (const double feature : table.features.reshaped())
    hash = mix_bits(hash, std::bit_cast<std::uint64_t>(feature));
  return hash;
}

std::vector<Theta> starts(const ThetaPrior& prior) {
  std::vector<Theta> result;
  for (const double noise : {0.0, 2.0}) {
    for (const double length : {0.0, -1.0, 1.0}) {
      Theta theta = prior.mean + length * prior.deviation;
      theta[theta.size() - 2] = prior.mean[theta.size() - 2];
      theta[theta.size() - 1] = prior.mean[theta.size() - 1] + noise * prior.deviation[theta.size() - 1];
      result.push_back(theta.cwiseMax(prior.lower).cwiseMin(prior.upper));
    }
  }
  return result;
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
                               const Eigen::VectorXd& targets, const Eigen::VectorXd& noise) {
  LogPosteriorFunction log_posterior(features, group_of_feature, targets, noise);
  const ThetaPrior& prior = log_posterior.prior();
  const SmoothFunction loss = [&](const Eigen::VectorXd& theta, Eigen::VectorXd& gradient) {
    const auto posterior = log_posterior(theta);
    if (!posterior) return std::numeric_limits<double>::infinity();
    gradient = -posterior->gradient;
    return -posterior->value;
  };
  struct Start {
    Theta theta;
    double value;
  };
  std::vector<Start> ranked;
  for (Theta& theta : starts(prior)) {
    if (const auto value = log_posterior.value(theta)) ranked.push_back({std::move(theta), -*value});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Start& a, const Start& b) { return a.value < b.value; });
  constexpr std::size_t kClimbs = 2;
  constexpr int kIterations = 30;
  std::optional<Theta> best;
  double best_value = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(kClimbs, ranked.size()); ++i) {
    const BoxMinimum found = minimize_in_box(loss, ranked[i].theta, prior.lower, prior.upper,
                                             {.iterations = kIterations, .gradient_tolerance = 2e-2});
    if (found.value < best_value) best = found.x, best_value = found.value;
  }
  return best;
}

int HyperparameterSchedule::refit_point(std::size_t count, int last) {
  if (count <= kEveryTrial) return last;
  // So many trials back all have ended, with the number of workers that studies usually have.
  constexpr int kSettled = 16;
  const int every = count <= 300 ? 10 : count <= 1000 ? 25 : 50;
  return (last - kSettled) / every * every;
}

std::optional<Theta> HyperparameterSchedule::fit(const ObservationTable& table) const {
  const OutputWarp warp = OutputWarp::fit(table.losses);
  const auto rows =
      representative_subset(table.losses, table.deviations.empty() ? kMostFitted : kMostFittedCurves);
  Eigen::MatrixXd features(static_cast<Eigen::Index>(rows.size()), table.features.cols());
  Eigen::VectorXd targets(static_cast<Eigen::Index>(rows.size())), noise;
  if (!table.deviations.empty()) noise.resize(targets.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto to = static_cast<Eigen::Index>(i);
    features.row(to) = table.features.row(static_cast<Eigen::Index>(rows[i]));
    targets[to] = warp(table.losses[rows[i]]);
    if (noise.size() > 0) noise[to] = warp.variance(table.losses[rows[i]], table.deviations[rows[i]]);
  }
  return fit_theta(features, group_of_feature_, targets, noise);
}

std::optional<Theta> HyperparameterSchedule::at(const ObservationTable& table) {
  ObservationTable fitted = table.up_to(refit_point(table.size(), table.trials.back()));
  if (fitted.size() == 0) fitted = table;  // a study whose early trials told nothing
  const std::uint64_t hash = hash_of(fitted);
  if (hash_ != hash) {
    theta_ = fit(fitted);
    hash_ = hash;
  }
  return theta_;
}

}  // namespace tune::strategies
