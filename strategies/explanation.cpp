#include "strategies/explanation.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tuner/core/number_text.h"

namespace tune::strategies {
namespace {

constexpr std::size_t kNearest = 3;

// The process's mean alone costs O(n) a point, its variance O(n^2).
double mean_at(const GaussianProcess& process, const Eigen::VectorXd& features) {
  const Eigen::Index known = process.weights().size();
  const Eigen::MatrixXd covariance =
      process.kernel().covariance(process.points().topRows(known), features.transpose());
  return process.mean() + covariance.col(0).dot(process.weights());
}

// Of a point in the metric's own units.
class MetricMean {
 public:
  MetricMean(const Encoding& encoding, const Surrogate& surrogate, Goal goal)
      : encoding_(encoding), surrogate_(surrogate), sign_(goal == Goal::kMinimize ? 1 : -1) {}
  double warped(const UnitPoint& unit) const { return mean_at(*surrogate_.process, encoding_.encode(unit)); }
  double of(double warped) const { return sign_ * surrogate_.warp.inverse(warped); }
  double at(const UnitPoint& unit) const { return of(warped(unit)); }

 private:
  const Encoding& encoding_;
  const Surrogate& surrogate_;
  const double sign_;
};

// The named numbers that count most, the largest first.
std::vector<std::pair<double, std::size_t>> largest(std::vector<std::pair<double, std::size_t>> numbers) {
  std::stable_sort(numbers.begin(), numbers.end(),
                   [](const auto& a, const auto& b) { return std::abs(a.first) > std::abs(b.first); });
  if (numbers.size() > kMostExplained) numbers.resize(kMostExplained);
  return numbers;
}

// The shortest ones: a parameter whose length scale is long matters little.
Json length_scales(const SearchSpace& space, const Encoding& encoding, const Kernel& kernel) {
  std::vector<std::pair<double, std::size_t>> inverse;
  for (std::size_t i = 0; i < space.size(); ++i)
    if (const auto feature = encoding.first_feature(i))
      inverse.emplace_back(kernel.inverse_lengths()[*feature], i);
  Json lengths = Json::object();
  for (const auto& [length, i] : largest(std::move(inverse)))
    lengths[space.parameters()[i].name] = explained_number(1 / length);
  return lengths;
}

Json contributions(const SearchSpace& space, const Encoding& encoding, const MetricMean& mean,
                   const UnitPoint& chosen, const UnitPoint& best) {
  const Activity active = encoding.activity(chosen), active_there = encoding.activity(best);
  // What the choice leaves inactive may become active by another parent's value.
  UnitPoint base = chosen;
  for (std::size_t i = 0; i < base.size(); ++i)
    if (!active[i]) base[i] = best[i];
  const double here = mean.at(chosen);
  std::vector<std::pair<double, std::size_t>> changes;
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (!active[i] || !active_there[i] || base[i] == best[i]) continue;
    UnitPoint other = base;
    other[i] = best[i];
    const double change = here - mean.at(other);
    if (std::isfinite(change)) changes.emplace_back(change, i);
  }
  Json list = Json::object();
  for (const auto& [change, i] : largest(std::move(changes)))
    list[space.parameters()[i].name] = {{"change", explained_number(change)}};
  return list;
}

// One process's view of the chosen point.
struct ProcessView {
  Json model, predicted;
};
ProcessView view_of(const SearchSpace& space, const Encoding& encoding, const Surrogate& surrogate, Goal goal,
                    const EncodedHistory& encoded, std::size_t results, const UnitPoint& chosen) {
  const MetricMean mean(encoding, surrogate, goal);
  const Prediction at = surrogate.process->predict(encoding.encode(chosen));
  const double deviation = std::sqrt(at.variance), noise = std::sqrt(surrogate.noise_variance);
  double low = mean.of(at.mean - deviation), high = mean.of(at.mean + deviation);
  if (low > high) std::swap(low, high);
  return {{{"kind", "gaussian_process"},
           {"results", results},
           {"failed", encoded.failed},
           {"pending", encoded.pending.rows()},
           {"noise", explained_number(std::abs(mean.of(at.mean + noise) - mean.of(at.mean - noise)) / 2)},
           {"length_scales", length_scales(space, encoding, surrogate.process->kernel())}},
          {{"value", explained_number(mean.of(at.mean))},
           {"low", explained_number(low)},
           {"high", explained_number(high)}}};
}

// The trial of the best known point, with what the model expects of it.
Json best_known(const ProcessChoice& choice, const MetricMean& mean) {
  const auto& units = choice.encoded.observed_units;
  const auto found = std::find(units.begin(), units.end(), choice.best);
  Json best = {{"predicted", explained_number(mean.at(choice.best))}};
  if (found == units.end()) return best;
  const auto row = static_cast<std::size_t>(found - units.begin());
  const auto index = static_cast<std::size_t>(choice.encoded.observations.trials[row]) - 1;
  best["trial"] = choice.history.trials[index]->number;
  if (index < choice.history.borrowed) best["of_earlier_study"] = true;
  return best;
}

}  // namespace

Json explained_number(double number) {
  return std::isfinite(number) ? Json(rounded_for_people(number)) : Json();
}

Json nearest_trials(const History& history, HistoryEncoder& encoder, Goal goal,
                    const Eigen::VectorXd& features, const Eigen::VectorXd& inverse_lengths) {
  std::vector<std::pair<double, std::size_t>> distances;
  encoder.reserve(history.trials.size());
  for (std::size_t i = history.borrowed; i < history.trials.size(); ++i) {
    const HistoryEncoder::Entry& entry = encoder.entry(i, history.trials[i]);
    if (!entry.valid) continue;
    distances.emplace_back(((entry.features - features).cwiseProduct(inverse_lengths)).norm(), i);
  }
  const std::size_t kept = std::min(kNearest, distances.size());
  std::partial_sort(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(kept),
                    distances.end());
  Json nearest = Json::array();
  for (std::size_t k = 0; k < kept; ++k) {
    const TrialView& trial = *history.trials[distances[k].second];
    Json& one = nearest.emplace_back(Json{{"trial", trial.number},
                                          {"distance", explained_number(distances[k].first)},
                                          {"state", to_string(trial.state)}});
    if (observed_loss(trial, goal)) one["value"] = explained_number(trial.values[0]);
  }
  return nearest;
}

Json explain_process(const SearchSpace& space, const Encoding& encoding, const Objective& objective,
                     HistoryEncoder& encoder, const ProcessChoice& choice) {
  const Surrogate& surrogate = choice.surrogate;
  const MetricMean mean(encoding, surrogate, objective.goal);
  ProcessView view = view_of(space, encoding, surrogate, objective.goal, choice.encoded,
                             choice.encoded.observations.size(), choice.chosen);
  return {{"strategy", "bayesian"},
          {"model", std::move(view.model)},
          {"predicted", std::move(view.predicted)},
          {"expected_improvement", explained_number(choice.expected_gain)},
          {"success", explained_number(choice.success)},
          {"best", best_known(choice, mean)},
          {"contributions", contributions(space, encoding, mean, choice.chosen, choice.best)},
          {"nearest", nearest_trials(choice.history, encoder, objective.goal, encoding.encode(choice.chosen),
                                     surrogate.process->kernel().inverse_lengths())}};
}

Json explain_processes(const SearchSpace& space, const Encoding& encoding, const Objective& objective,
                       HistoryEncoder& encoder, const PairChoice& choice) {
  const Surrogate &one = choice.surrogates[0], &two = choice.surrogates[1];
  ProcessView first = view_of(space, encoding, one, objective.goal, choice.encoded,
                              choice.encoded.observations.size(), choice.chosen);
  ProcessView second = view_of(space, encoding, two, choice.history.second->goal, choice.encoded,
                               choice.encoded.second_observations.size(), choice.chosen);
  return {{"strategy", "bayesian"},
          {"model", std::move(first.model)},
          {"second_model", std::move(second.model)},
          {"predicted", std::move(first.predicted)},
          {"second_predicted", std::move(second.predicted)},
          {"front", choice.front},
          {"expected_hypervolume_improvement", explained_number(choice.expected_gain)},
          {"success", explained_number(choice.success)},
          {"nearest", nearest_trials(choice.history, encoder, objective.goal, encoding.encode(choice.chosen),
                                     one.process->kernel().inverse_lengths())}};
}

}  // namespace tune::strategies
