#include "tuner/core/preference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuner/core/error.h"

namespace tune {

Preference preference_from(const Json& prefer, const std::array<Objective, 2>& objectives) {
  Preference preference;
  if (prefer.contains("weight")) {
    preference.weight = prefer["weight"].get<double>();
    return preference;
  }
  preference.best = prefer.at("best") == objectives[0].metric ? 0 : 1;
  const Json bounds = prefer.value("with", Json::object());
  for (std::size_t i = 0; i < 2; ++i) {
    const auto bound = bounds.find(objectives[i].metric);
    if (bound == bounds.end()) continue;
    preference.bounds[i] = bound->at(objectives[i].goal == Goal::kMinimize ? "max" : "min").get<double>();
  }
  return preference;
}

std::optional<Preference> preference_in(const Json& spec, const std::array<Objective, 2>& objectives) {
  const Json::json_pointer place("/promote/prefer");
  if (!spec.is_object() || !spec.contains(place)) return std::nullopt;
  return preference_from(spec[place], objectives);
}

std::string preference_text(const Preference& preference, const std::array<Objective, 2>& objectives) {
  if (preference.weight)
    return "weight " + shortest(*preference.weight) + " of " + objectives[0].metric + ", the rest of " +
           objectives[1].metric;
  std::string text = "best " + objectives[preference.best].metric;
  const char* joint = " with ";
  for (std::size_t i = 0; i < 2; ++i) {
    if (!preference.bounds[i]) continue;
    text += joint + objectives[i].metric +
            (objectives[i].goal == Goal::kMinimize ? " of at most " : " of at least ") +
            shortest(*preference.bounds[i]);
    joint = " and ";
  }
  return text;
}

PreferredOrder::PreferredOrder(const Preference& preference, const std::array<Objective, 2>& objectives,
                               const std::vector<std::vector<double>>& front)
    : preference_(preference), objectives_(objectives), front_(front) {
  TUNE_CHECK(!front_.empty());
  for (std::size_t i = 0; i < 2; ++i) {
    double best = front_.front()[i], worst = best;
    for (const std::vector<double>& values : front_) {
      if (is_better(values[i], best, objectives_[i].goal)) best = values[i];
      if (is_better(worst, values[i], objectives_[i].goal)) worst = values[i];
    }
    best_[i] = best;
    // Halves, since the difference of two large numbers may be infinite.
    range_[i] = std::abs(best / 2 - worst / 2);
  }
}

double PreferredOrder::scaled(const std::vector<double>& values, std::size_t objective) const {
  const double lag = std::abs(values[objective] / 2 - best_[objective] / 2);
  if (lag == 0) return 1;
  const bool is_ahead = is_better(values[objective], best_[objective], objectives_[objective].goal);
  const double part = range_[objective] > 0 ? lag / range_[objective] : std::numeric_limits<double>::max();
  return is_ahead ? 1 + part : 1 - part;
}

double PreferredOrder::score(const std::vector<double>& values) const {
  const double weight = preference_.weight.value_or(0);
  // A weight of nothing is of nothing, however far off the value is.
  return (weight > 0 ? weight * scaled(values, 0) : 0) + (weight < 1 ? (1 - weight) * scaled(values, 1) : 0);
}

bool PreferredOrder::keeps_bounds(const std::vector<double>& values) const {
  for (std::size_t i = 0; i < 2; ++i)
    if (preference_.bounds[i] && is_better(*preference_.bounds[i], values[i], objectives_[i].goal))
      return false;
  return true;
}

bool PreferredOrder::is_preferred(const std::vector<double>& a, const std::vector<double>& b) const {
  if (preference_.weight) return score(a) > score(b);
  const std::size_t first = preference_.best, other = 1 - first;
  if (a[first] != b[first]) return is_better(a[first], b[first], objectives_[first].goal);
  return is_better(a[other], b[other], objectives_[other].goal);
}

std::optional<std::size_t> PreferredOrder::chosen() const {
  std::optional<std::size_t> chosen;
  for (std::size_t i = 0; i < front_.size(); ++i)
    if (keeps_bounds(front_[i]) && (!chosen || is_preferred(front_[i], front_[*chosen]))) chosen = i;
  return chosen;
}

std::size_t PreferredOrder::nearest() const {
  const auto excess = [&](const std::vector<double>& values) {
    double total = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      if (!preference_.bounds[i] || !is_better(*preference_.bounds[i], values[i], objectives_[i].goal))
        continue;
      const double beyond = std::abs(values[i] / 2 - *preference_.bounds[i] / 2);
      total += range_[i] > 0 ? beyond / range_[i] : beyond;
    }
    return total;
  };
  const auto nearest = std::min_element(front_.begin(), front_.end(),
                                        [&](const auto& a, const auto& b) { return excess(a) < excess(b); });
  return static_cast<std::size_t>(nearest - front_.begin());
}

std::string PreferredOrder::text(const std::vector<double>& values) const {
  return objectives_[0].metric + ' ' + shortest(values[0]) + ", " + objectives_[1].metric + ' ' +
         shortest(values[1]);
}

std::vector<std::vector<double>> front_values(const History& history) {
  std::vector<std::vector<double>> values;
  for (const std::size_t i : front_of(history)) values.push_back(history.trials[i]->values);
  return values;
}

std::optional<int> preferred_trial(const History& history, const Preference& preference) {
  const std::vector<std::size_t> front = front_of(history);
  if (front.empty()) return std::nullopt;
  const PreferredOrder order(preference, {history.objective, *history.second}, front_values(history));
  const auto chosen = order.chosen();
  return chosen ? std::optional(history.trials[front[*chosen]]->number) : std::nullopt;
}

}  // namespace tune
