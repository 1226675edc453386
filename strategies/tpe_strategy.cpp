#include "strategies/tpe_strategy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "strategies/explanation.h"

namespace tune::strategies {
namespace {

constexpr std::size_t kFewestObservations = 8;

// The most recent 25 count in full, older ones down to 1/n (Bergstra et al. 2013, hyperopt's default).
std::vector<double> recency_weights(std::size_t count) {
  constexpr std::size_t kFull = 25;
  std::vector<double> weights(count, 1.0);
  if (count <= kFull) return weights;
  const std::size_t ramp = count - kFull;
  const double least = 1 / static_cast<double>(count);
  for (std::size_t i = 0; i < ramp; ++i) {
    const double part = ramp > 1 ? static_cast<double>(i) / static_cast<double>(ramp - 1) : 1;
    weights[i] = least + (1 - least) * part;
  }
  return weights;
}

constexpr int kDraws = 24;

// Every so many of the trials that are not good, so that a draw costs the same however long the study.
constexpr std::size_t kMostOthers = 500;

}  // namespace

TpeStrategy::TpeStrategy(SearchSpace space, Objective objective, std::uint64_t seed)
    : space_(std::move(space)),
      objective_(std::move(objective)),
      encoding_(space_),
      design_(space_, encoding_, seed),
      untried_(space_, encoding_),
      encoder_(space_, encoding_) {
  add_groups();
}

void TpeStrategy::add_groups() {
  const auto same_conditions = [](const Parameter& a, const Parameter& b) {
    return a.when.size() == b.when.size() && std::equal(a.when.begin(), a.when.end(), b.when.begin(),
                                                        [](const Condition& p, const Condition& q) {
                                                          return p.parent == q.parent && p.any_of == q.any_of;
                                                        });
  };
  for (const std::size_t index : space_.dependency_order()) {
    const Parameter& parameter = space_.parameters()[index];
    if (parameter.cardinality() == 1) continue;
    ParzenAxis axis{index, {}, 0};
    const auto& cells = encoding_.cells(index);
    if (parameter.type == ParameterType::kCategorical) {
      axis.categories = cells;
    } else if (!cells.empty()) {
      axis.narrowest = 0.5 / static_cast<double>(cells.size());
    }
    const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) {
      return same_conditions(space_.parameters()[g.any], parameter);
    });
    if (group == groups_.end()) {
      groups_.push_back({{std::move(axis)}, index});
    } else {
      group->axes.push_back(std::move(axis));
    }
  }
}

TpeStrategy::Sorted TpeStrategy::sort(const History& history) {
  struct Ranked {
    std::size_t index;
    double loss;
    bool stopped;
  };
  Sorted sorted;
  std::vector<Ranked> ranked;
  std::vector<const HistoryEncoder::Entry*> entries(history.trials.size(), nullptr);
  encoder_.reserve(history.trials.size());
  for (std::size_t i = 0; i < history.trials.size(); ++i) {
    const HistoryEncoder::Entry& entry = encoder_.entry(i, history.trials[i]);
    if (!entry.valid) continue;
    entries[i] = &entry;
    if (untried_.is_finite() && i >= history.borrowed) sorted.tried.insert(entry.key);
    const TrialView& trial = *history.trials[i];
    if (const auto loss = observed_loss(trial, objective_.goal)) {
      ranked.push_back({i, *loss, is_cut_short(trial.state)});
    } else {
      ++(is_finished(trial.state) ? sorted.failed : sorted.pending);
    }
  }
  sorted.observed = ranked.size();
  const std::size_t good = std::min<std::size_t>((ranked.size() + 9) / 10, 25);
  const auto better = [](const Ranked& a, const Ranked& b) {
    return std::tie(a.stopped, a.loss, a.index) < std::tie(b.stopped, b.loss, b.index);
  };
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(good), ranked.end(), better);
  std::vector<char> is_good(history.trials.size(), 0);
  for (std::size_t i = 0; i < good; ++i) is_good[ranked[i].index] = 1;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i]) (is_good[i] ? sorted.good : sorted.others).push_back(entries[i]);
  }
  return sorted;
}

class TpeStrategy::Estimate {
 public:
  Estimate(const std::vector<Group>& groups, const Sorted& trials)
      : groups_(groups), trials_(trials), densities_(groups.size()) {}

  const Densities& of(std::size_t group) {
    if (!densities_[group]) {
      const auto good = centres(trials_.good, groups_[group]),
                 others = centres(trials_.others, groups_[group]);
      densities_[group].emplace(
          Densities{ParzenMixture(groups_[group].axes, good, recency_weights(good.size())),
                    ParzenMixture(groups_[group].axes, others, recency_weights(others.size()))});
    }
    return *densities_[group];
  }
  // How much likelier a point of this group's parameters is among the good trials, as a logarithm.
  double log_ratio(std::size_t group, const UnitPoint& unit) {
    const Densities& densities = of(group);
    return densities.good.log_density(unit) - densities.others.log_density(unit);
  }
  // The same of one of its parameters by itself.
  double log_ratio_of(std::size_t group, const ParzenAxis& axis, const UnitPoint& unit) const {
    const std::vector<ParzenAxis> alone{axis};
    const auto density = [&](const std::vector<const HistoryEncoder::Entry*>& entries) {
      const auto points = centres(entries, groups_[group]);
      return ParzenMixture(alone, points, recency_weights(points.size())).log_density(unit);
    };
    return density(trials_.good) - density(trials_.others);
  }

 private:
  static std::vector<const UnitPoint*> centres(const std::vector<const HistoryEncoder::Entry*>& entries,
                                               const Group& group) {
    std::vector<const UnitPoint*> result;
    for (const auto* entry : entries)
      if (entry->active[group.any]) result.push_back(&entry->unit);
    if (result.size() <= kMostOthers) return result;
    for (std::size_t i = 0; i < kMostOthers; ++i)
      result[i] = result[(i + 1) * result.size() / kMostOthers - 1];
    result.resize(kMostOthers);
    return result;
  }

  const std::vector<Group>& groups_;
  const Sorted& trials_;
  std::vector<std::optional<Densities>> densities_;
};

// What the densities of each parameter by itself say of a point: together they leave out how parameters go
// together.
Json TpeStrategy::explanation(Estimate& estimate, const Sorted& trials, const UnitPoint& unit) const {
  const Activity active = encoding_.activity(unit);
  double total = 0;
  std::vector<std::pair<double, std::size_t>> ratios;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    if (!active[groups_[group].any]) continue;
    total += estimate.log_ratio(group, unit);
    for (const ParzenAxis& axis : groups_[group].axes)
      ratios.emplace_back(estimate.log_ratio_of(group, axis, unit), axis.parameter);
  }
  std::stable_sort(ratios.begin(), ratios.end(),
                   [](const auto& a, const auto& b) { return std::abs(a.first) > std::abs(b.first); });
  if (ratios.size() > kMostExplained) ratios.resize(kMostExplained);
  Json contributions = Json::object();
  for (const auto& [ratio, parameter] : ratios)
    contributions[space_.parameters()[parameter].name] = {{"log_ratio", explained_number(ratio)}};
  return {{"strategy", "tpe"},
          {"model",
           {{"kind", "parzen_estimators"},
            {"results", trials.observed},
            {"good", trials.good.size()},
            {"failed", trials.failed},
            {"pending", trials.pending}}},
          {"log_ratio", explained_number(total)},
          {"contributions", contributions}};
}

UnitPoint TpeStrategy::drawn(Estimate& estimate, Rng& rng) const {
  UnitPoint unit(space_.size(), 0.5);
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    if (!encoding_.activity(unit)[groups_[group].any]) continue;
    UnitPoint best;
    double best_ratio = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < kDraws; ++i) {
      UnitPoint candidate = unit;
      estimate.of(group).good.draw(candidate, rng);
      encoding_.snap(candidate);
      const double ratio = estimate.log_ratio(group, candidate);
      if (best.empty() || ratio > best_ratio) best = std::move(candidate), best_ratio = ratio;
    }
    unit = std::move(best);
  }
  return unit;
}

Suggestion TpeStrategy::estimated(const Sorted& trials, Rng& rng) const {
  constexpr int kAttempts = 8;
  Estimate estimate(groups_, trials);
  Suggestion suggestion;
  bool repeated = true;
  for (int i = 0; i < kAttempts && repeated; ++i) {
    suggestion.parameters = space_.from_unit(drawn(estimate, rng));
    repeated = untried_.is_finite() && trials.tried.contains(point_key(space_, suggestion.parameters));
  }
  const bool is_drawn_before = repeated;
  if (repeated) {
    // The draws crowd around the best points, so the untried point is taken that they would have preferred.
    double best = -std::numeric_limits<double>::infinity();
    for (const UnitPoint& unit : untried_.list(trials.tried, rng)) {
      const Activity active = encoding_.activity(unit);
      double ratio = 0;
      for (std::size_t group = 0; group < groups_.size(); ++group)
        if (active[groups_[group].any]) ratio += estimate.log_ratio(group, unit);
      if (!repeated && !(ratio > best)) continue;
      repeated = false;
      best = ratio;
      suggestion.parameters = space_.from_unit(unit);
    }
  }
  const bool is_left = is_drawn_before && !repeated;
  suggestion.space_is_used_up = repeated;
  suggestion.note = "Parzen estimator: the best of " + std::to_string(kDraws) + " draws around the best " +
                    std::to_string(trials.good.size()) + " of " + std::to_string(trials.observed) +
                    " results";
  suggestion.brief = "Parzen estimator";
  if (trials.failed > 0) suggestion.note += ", " + std::to_string(trials.failed) + " failed";
  if (trials.pending > 0) suggestion.note += ", " + std::to_string(trials.pending) + " pending";
  if (is_left) suggestion.note += "; all of them were tried before, so it is the likeliest of what is left";
  if (repeated) suggestion.note += "; it repeats a point, since every one has been tried";
  UnitPoint unit = space_.to_unit(suggestion.parameters, 0.5);
  encoding_.snap(unit);
  suggestion.explanation = explanation(estimate, trials, unit);
  return suggestion;
}

Answer TpeStrategy::suggest(const History& history, Rng& rng) {
  const Sorted trials = sort(history);
  if (trials.observed >= kFewestObservations && !groups_.empty()) {
    Suggestion suggestion = estimated(trials, rng);
    UnitPoint unit = space_.to_unit(suggestion.parameters, 0.5);
    encoding_.snap(unit);
    suggestion.explanation["nearest"] =
        nearest_trials(history, encoder_, objective_.goal, encoding_.encode(unit),
                       Eigen::VectorXd::Ones(encoding_.features()));
    return suggestion;
  }
  return space_filling(history, trials, rng);
}

Suggestion TpeStrategy::space_filling(const History& history, const Sorted& trials, Rng& rng) const {
  Suggestion suggestion;
  suggestion.parameters = space_.from_unit(design_.point(history.next_number()));
  suggestion.note = groups_.empty()
                        ? "the space has a single point"
                        : InitialDesign::name(history.next_number()) + ": " +
                              std::to_string(trials.observed) + " of " + std::to_string(kFewestObservations) +
                              " results that densities need are in";
  suggestion.explanation = {{"strategy", "tpe"}};
  if (!groups_.empty()) suggestion.brief = InitialDesign::brief(history.next_number());
  constexpr std::uint32_t kAlternatives = 32;
  const auto is_tried = [&] { return trials.tried.contains(point_key(space_, suggestion.parameters)); };
  if (!untried_.is_finite()) return suggestion;
  for (std::uint32_t j = 1; j < kAlternatives && is_tried(); ++j)
    suggestion.parameters = space_.from_unit(design_.point(history.next_number(), j));
  if (!is_tried()) return suggestion;
  const std::vector<UnitPoint> left = untried_.list(trials.tried, rng);
  suggestion.space_is_used_up = left.empty();
  if (left.empty()) return suggestion;
  suggestion.parameters =
      space_.from_unit(untried_.farthest(left, trials.tried, [](const Eigen::VectorXd&) { return 0.0; }));
  suggestion.brief = "far from what was tried";
  suggestion.note = suggestion.brief + suggestion.note.substr(suggestion.note.find(':'));
  return suggestion;
}

}  // namespace tune::strategies
