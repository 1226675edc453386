#include "strategies/earlier_pool.h"

#include <algorithm>
#include <cmath>

#include "strategies/standard_scores.h"
#include "tuner/core/moments.h"

namespace tune::strategies {
namespace {

// After so many own observations half of a related study is left, even of one that agrees with them.
constexpr double kHalfLife = 12;
// Before there are own pairs, a related study is believed to have ranked so many, one of them wrongly.
constexpr double kPriorPairs = 4, kPriorMisranked = 1;
// A pair whose scores are predicted to be nearer than this is no claim to be judged by. Own points gather
// where a good study sends them, and there their order is noise.
constexpr double kLeastClaim = 0.25;
constexpr double kCoin = 0.5;  // the share of misranked pairs of a study that has nothing to do with this one
// Where a related study holds own points for equally good, a difference of their losses would be blown up to
// any scale.
constexpr double kLeastSpread = 0.15;
constexpr std::size_t kMostOwn = 256;  // what a related study still adds beyond is not worth the time
constexpr double kBandwidth = 0.1;     // of the smoother, in the unit cube, for one parameter

bool has_finite_value(const TrialView& trial) {
  return !trial.values.empty() && std::isfinite(trial.values[0]);
}

double spread_of(const std::vector<double>& values) { return std::sqrt(population_variance(values)); }

// `wanted` of `count` positions, the first always, their distances growing with the position.
std::vector<std::size_t> dense_at_the_front(std::size_t count, std::size_t wanted) {
  std::vector<std::size_t> positions;
  for (std::size_t j = 0; j < wanted; ++j) {
    const double part = static_cast<double>(j) / static_cast<double>(wanted);
    const auto even = static_cast<std::size_t>(static_cast<double>(count) * part * part);
    positions.push_back(positions.empty() ? even : std::max(even, positions.back() + 1));
  }
  return positions;
}

double misranked_share(const std::vector<double>& predicted, const std::vector<double>& losses) {
  double misranked = kPriorMisranked, pairs = kPriorPairs;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (std::abs(predicted[i] - predicted[j]) < kLeastClaim) continue;
      const double agreement = (predicted[i] - predicted[j]) * (losses[i] - losses[j]);
      misranked += agreement < 0 ? 1 : agreement == 0 ? 0.5 : 0;
      pairs += 1;
    }
  }
  return misranked / pairs;
}

}  // namespace

// Smaller is better.
double EarlierPool::loss_of(const TrialView& trial) const {
  return goal_ == Goal::kMinimize ? trial.values[0] : -trial.values[0];
}

EarlierPool::Point EarlierPool::point_of(const ParameterSet& parameters) const {
  Point point{space_.to_unit(parameters), std::vector<bool>(space_.size())};
  for (std::size_t i = 0; i < space_.size(); ++i)
    point.active[i] = parameters.contains(space_.parameters()[i].name);
  return point;
}

void EarlierPool::read_sources(const History& history) {
  if (read_ == history.earlier) return;
  read_ = history.earlier;
  sources_.clear();
  const auto& all = *history.earlier;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].kind == WarmStart::kTransfer && has_finite_value(*all[i].trial))
      sources_[all[i].study].members.push_back(i);
  const auto loss = [&](std::size_t i) { return loss_of(*all[i].trial); };
  for (auto& [name, source] : sources_) {
    std::stable_sort(source.members.begin(), source.members.end(),
                     [&](std::size_t a, std::size_t b) { return loss(a) < loss(b); });
    std::vector<double> losses;
    for (const std::size_t i : source.members) losses.push_back(loss(i));
    source.raw_spread = spread_of(losses);
    std::vector<double>& scores = losses;
    standardise(scores);
    const std::vector<std::size_t> members = std::move(source.members);
    source.members.clear();
    for (const std::size_t k :
         dense_at_the_front(members.size(), std::min(members.size(), kMostTransferred))) {
      source.members.push_back(members[k]);
      source.scores.push_back(scores[k]);
      source.points.push_back(point_of(all[members[k]].trial->parameters));
    }
  }
}

EarlierPool::Own EarlierPool::own_observations(const History& history) const {
  std::vector<const TrialView*> trials;
  for (const EarlierTrial& earlier : *history.earlier)
    if (earlier.kind == WarmStart::kIdentical && has_finite_value(*earlier.trial))
      trials.push_back(earlier.trial.get());
  for (const auto& trial : history.trials)
    if (trial->state == TrialState::kCompleted && has_finite_value(*trial) &&
        !space_.objection(trial->parameters))
      trials.push_back(trial.get());
  std::size_t count = trials.empty() ? 0 : 1;
  while (2 * count <= std::min(trials.size(), kMostOwn) && count > 0) count *= 2;
  Own own;
  for (std::size_t i = 0; i < count; ++i) {
    own.points.push_back(point_of(trials[i]->parameters));
    own.losses.push_back(loss_of(*trials[i]));
  }
  return own;
}

// Squared. A parameter that is active in one point only, or another category, is half the cube away.
double EarlierPool::distance(const Point& a, const Point& b) const {
  constexpr double kApart = 0.25;
  double sum = 0;
  for (std::size_t i = 0; i < space_.size(); ++i) {
    if (!a.active[i] && !b.active[i]) continue;
    const double difference = a.unit[i] - b.unit[i];
    if (a.active[i] != b.active[i])
      sum += kApart;
    else if (space_.parameters()[i].type == ParameterType::kCategorical)
      sum += difference == 0 ? 0 : kApart;
    else
      sum += difference * difference;
  }
  return sum;
}

// The score at a point: the members' mean, weighted by nearness (Nadaraya & Watson).
double EarlierPool::predict(const Source& source, const Point& at) const {
  std::vector<double> distances;
  for (const Point& point : source.points) distances.push_back(distance(point, at));
  const double nearest = *std::min_element(distances.begin(), distances.end());
  const double width = 2 * kBandwidth * kBandwidth * static_cast<double>(space_.size());
  double sum = 0, weights = 0;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    const double weight = std::exp(-(distances[i] - nearest) / width);
    sum += weight * source.scores[i];
    weights += weight;
  }
  return sum / weights;
}

void EarlierPool::transfer(const Source& source, const Own& own,
                           std::vector<std::shared_ptr<const TrialView>>& all) const {
  double shift = 0, scale = 1, trust = 1;
  const auto count = static_cast<double>(own.losses.size());
  if (!own.losses.empty()) {
    std::vector<double> predicted;
    for (const Point& point : own.points) predicted.push_back(predict(source, point));
    scale = spread_of(own.losses) / std::max(spread_of(predicted), kLeastSpread);
    // One own loss, or only equal ones, say nothing about the scale.
    if (!(scale > 0)) scale = source.raw_spread > 0 ? source.raw_spread : 1;
    shift = mean_of(own.losses) - scale * mean_of(predicted);
    const double share = misranked_share(predicted, own.losses), prior = kPriorMisranked / kPriorPairs;
    trust = std::clamp((kCoin - share) / (kCoin - prior), 0.0, 1.0);
  }
  const double part = trust / (1 + count / kHalfLife);
  const auto wanted =
      static_cast<std::size_t>(std::lround(part * static_cast<double>(source.members.size())));
  for (const std::size_t k : dense_at_the_front(source.members.size(), wanted)) {
    const double loss = shift + scale * source.scores[k];
    if (!std::isfinite(loss)) continue;
    auto view = std::make_shared<TrialView>(*(*read_)[source.members[k]].trial);
    view->values = {goal_ == Goal::kMinimize ? loss : -loss};
    all[source.members[k]] = std::move(view);
  }
}

std::vector<std::shared_ptr<const TrialView>> EarlierPool::pool(const History& history) {
  if (!history.earlier) return {};
  read_sources(history);
  std::vector<std::shared_ptr<const TrialView>> all(history.earlier->size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const EarlierTrial& earlier = (*history.earlier)[i];
    if (earlier.kind == WarmStart::kIdentical) all[i] = earlier.trial;
  }
  const Own own = own_observations(history);
  for (const auto& [name, source] : sources_) transfer(source, own, all);
  std::erase(all, nullptr);
  return all;
}

}  // namespace tune::strategies
