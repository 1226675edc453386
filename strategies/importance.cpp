#include "strategies/importance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "strategies/regression_forest.h"
#include "strategies/search_view.h"
#include "strategies/sobol_sequence.h"
#include "strategies/standard_scores.h"
#include "tuner/core/rng.h"

namespace tune::strategies {
namespace {

constexpr std::size_t kTrees = 64;
constexpr std::uint32_t kVariancePoints = 4096;
constexpr std::uint64_t kSeed = 0x66414E4F5641;  // any: the same trials give the same shares
constexpr double kBelowOne = 1 - 1e-9;           // leaves need a width beyond the last point

std::vector<ForestDimension> dimensions_of(const SearchSpace& space) {
  std::vector<ForestDimension> dimensions;
  for (const Parameter& parameter : space.parameters())
    dimensions.push_back({parameter.type == ParameterType::kCategorical ? parameter.values.size() : 0,
                          parameter.cardinality() == 0});
  return dimensions;
}

// The variance over one dimension of a function that is given as a sum of steps. Not normalised: the caller
// divides all heights by the number of trees.
class Marginal {
 public:
  Marginal(const ForestDimension& dimension, double height) : height_(height), cells_(dimension.categories) {}

  void add(const ForestLeaf::Side& side, double value) {
    if (cells_.empty()) {
      edges_.emplace_back(side.low, value * height_);
      edges_.emplace_back(side.high, -value * height_);
      return;
    }
    for (std::size_t i = 0; i < cells_.size(); ++i)
      if (side.cells[i]) cells_[i] += value * height_;
  }

  double variance() {
    double mean = 0, square = 0;
    const auto step = [&](double width, double value) {
      mean += width * value;
      square += width * value * value;
    };
    for (const double cell : cells_) step(1 / static_cast<double>(cells_.size()), cell);
    std::sort(edges_.begin(), edges_.end());
    double at = 0, value = 0;
    for (const auto& [place, change] : edges_) {
      step(place - at, value);
      at = place;
      value += change;
    }
    return std::max(0.0, square - mean * mean);
  }

 private:
  double height_;
  std::vector<double> cells_;
  std::vector<std::pair<double, double>> edges_;  // place, change of the value there
};

std::vector<RegressionTree> grow_forest(const SearchSpace& space, const std::vector<const TrialView*>& trials,
                                        const std::vector<double>& targets) {
  const std::vector<ForestDimension> dimensions = dimensions_of(space);
  std::vector<RegressionTree> forest;
  for (std::size_t tree = 0; tree < kTrees; ++tree) {
    Rng rng(kSeed, tree);
    ForestData data;
    data.targets = targets;
    for (const TrialView* trial : trials) {
      std::vector<double> point = space.to_unit(trial->parameters);
      for (std::size_t i = 0; i < point.size(); ++i) {
        const bool active = trial->parameters.contains(space.parameters()[i].name);
        point[i] = std::min(active ? point[i] : rng.uniform(), kBelowOne);
      }
      data.points.push_back(std::move(point));
    }
    forest.emplace_back(dimensions, data, rng);
  }
  return forest;
}

double total_variance(const std::vector<RegressionTree>& forest, std::size_t dimensions) {
  const SobolSequence sequence(dimensions, kSeed);
  double mean = 0, square = 0;
  for (std::uint32_t i = 0; i < kVariancePoints; ++i) {
    const std::vector<double> point = sequence.point(i);
    double value = 0;
    for (const RegressionTree& tree : forest) value += tree.predict(point);
    value /= static_cast<double>(forest.size());
    mean += value;
    square += value * value;
  }
  mean /= kVariancePoints;
  return std::max(0.0, square / kVariancePoints - mean * mean);
}

double marginal_variance(const std::vector<RegressionTree>& forest, const ForestDimension& dimension,
                         std::size_t index) {
  Marginal marginal(dimension, 1 / static_cast<double>(forest.size()));
  for (const RegressionTree& tree : forest)
    for (const ForestLeaf& leaf : tree.leaves()) {
      const ForestLeaf::Side& side = leaf.sides[index];
      marginal.add(side, leaf.value * leaf.volume() / side.width);
    }
  return marginal.variance();
}

std::vector<const TrialView*> usable_trials(const SearchSpace& space, const History& history) {
  std::vector<const TrialView*> usable;
  for (const auto& trial : history.trials)
    if (trial->state == TrialState::kCompleted && !trial->values.empty() && std::isfinite(trial->values[0]) &&
        !space.objection(trial->parameters))
      usable.push_back(trial.get());
  return usable;
}

}  // namespace

std::size_t least_trials(const SearchSpace& space) { return std::max<std::size_t>(10, 2 * space.size()); }

Importance importance(const SearchSpace& space, const History& history) {
  const std::optional<History> view = with_means(history);
  const std::vector<const TrialView*> trials = usable_trials(space, view ? *view : history);
  Importance result;
  result.trials = trials.size();
  if (trials.size() < least_trials(space)) {
    result.objection = "too few completed trials: " + std::to_string(trials.size()) + " of the " +
                       std::to_string(least_trials(space)) + " that an estimate needs";
    return result;
  }
  std::vector<double> targets;
  targets.reserve(trials.size());
  for (const TrialView* trial : trials) targets.push_back(trial->values[0]);
  if (!standardise(targets)) {
    result.objection = "every completed trial has the same value";
    return result;
  }
  const std::vector<RegressionTree> forest = grow_forest(space, trials, targets);
  const double total = total_variance(forest, space.size());
  const std::vector<ForestDimension> dimensions = dimensions_of(space);
  std::vector<double> variances;
  for (std::size_t i = 0; i < space.size(); ++i)
    variances.push_back(marginal_variance(forest, dimensions[i], i));
  // The total is an estimate, the parts are exact: together they are at most all there is.
  const double whole = std::max(total, std::accumulate(variances.begin(), variances.end(), 0.0));
  if (!(whole > 0)) {
    result.objection = "no parameter explains the differences between the trials";
    return result;
  }
  result.interactions = 1;
  for (std::size_t i = 0; i < space.size(); ++i) {
    result.parameters.push_back({space.parameters()[i].name, variances[i] / whole});
    result.interactions -= variances[i] / whole;
  }
  result.interactions = std::max(0.0, result.interactions);
  std::stable_sort(
      result.parameters.begin(), result.parameters.end(),
      [](const ParameterImportance& a, const ParameterImportance& b) { return a.share > b.share; });
  return result;
}

}  // namespace tune::strategies
