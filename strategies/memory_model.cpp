#include "strategies/memory_model.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "strategies/hyperparameter_schedule.h"
#include "strategies/marginal_likelihood.h"

namespace tune::strategies {
namespace {

// Allocators take memory in pieces: what differs by less is the same.
constexpr double kSameMemory = 0.005;
// The newest are enough: O(n^3).
constexpr std::size_t kMostMeasured = 200;

}  // namespace

MemoryModel::MemoryModel(SearchSpace space) : space_(std::move(space)), encoding_(space_) {}

std::optional<Eigen::VectorXd> MemoryModel::features_of(const ParameterSet& parameters,
                                                        const Json& overrides) const {
  ParameterSet values = parameters;
  for (const auto& [name, value] : overrides.items())
    if (const auto place = values.find(name); place != values.end()) place->second = value;
  try {
    UnitPoint unit = space_.to_unit(values);
    Activity active(space_.size());
    for (std::size_t i = 0; i < space_.size(); ++i)
      active[i] = static_cast<char>(values.contains(space_.parameters()[i].name));
    encoding_.snap(unit);
    return encoding_.encode(unit, active);
  } catch (const std::invalid_argument&) {
    return std::nullopt;  // a value that the space does not have
  }
}

void MemoryModel::add(const ParameterSet& parameters, const Json& overrides, double bytes) {
  for (const auto& [name, value] : overrides.items())
    if (!parameters.contains(name)) return;
  auto features = features_of(parameters, overrides);
  if (!features || !(bytes > 0)) return;
  features_.push_back(std::move(*features));
  logs_.push_back(std::log(bytes));
  if (logs_.size() <= kMostMeasured) return;
  features_.erase(features_.begin());
  logs_.erase(logs_.begin());
  fitted_ = {};
}

void MemoryModel::fit() const {
  const std::size_t count = logs_.size();
  if (fitted_.count == count) return;
  fitted_ = {};
  fitted_.count = count;
  const auto n = static_cast<Eigen::Index>(count);
  Eigen::VectorXd targets = Eigen::Map<const Eigen::VectorXd>(logs_.data(), n);
  fitted_.mean = targets.mean();
  targets.array() -= fitted_.mean;
  fitted_.deviation = std::sqrt(targets.squaredNorm() / static_cast<double>(n - 1));
  if (fitted_.deviation < kSameMemory || encoding_.features() == 0) return;
  targets /= fitted_.deviation;
  Eigen::MatrixXd points(n, encoding_.features());
  for (Eigen::Index i = 0; i < n; ++i) points.row(i) = features_[static_cast<std::size_t>(i)].transpose();
  const auto theta = fit_theta(points, encoding_.group_of_feature(), targets);
  if (!theta) return;
  GaussianProcess process(kernel_of(*theta, encoding_.group_of_feature()));
  const double noise = noise_variance_of(*theta);
  if (!process.append(points, Eigen::VectorXd::Constant(n, noise))) return;
  process.set_targets(targets);
  fitted_.noise = noise;
  fitted_.process.emplace(std::move(process));
}

std::optional<MemoryModel::Forecast> MemoryModel::predict(const ParameterSet& parameters,
                                                          const Json& overrides) const {
  if (logs_.size() < kFewest) return std::nullopt;
  const auto features = features_of(parameters, overrides);
  if (!features) return std::nullopt;
  fit();
  if (!fitted_.process) return Forecast{fitted_.mean, fitted_.deviation};
  const Prediction at = fitted_.process->predict(*features);
  return Forecast{fitted_.mean + fitted_.deviation * at.mean,
                  fitted_.deviation * std::sqrt(at.variance + fitted_.noise)};
}

std::optional<double> MemoryModel::least() const {
  if (logs_.size() < kFewest) return std::nullopt;
  return std::exp(*std::min_element(logs_.begin(), logs_.end()));
}

}  // namespace tune::strategies
