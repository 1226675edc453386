#pragma once
// Which trial of a front a person would take.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/front.h"
#include "tuner/core/json.h"

namespace tune {

// promote.prefer of a spec: {"weight": 0.7}, of the first objective, or {"best": "accuracy", "with":
// {"latency_ms": {"max": 20}}}. Objectives are counted from 0.
struct Preference {
  std::optional<double> weight;  // absent: `best` says which objective decides
  std::size_t best = 0;
  std::array<std::optional<double>, 2> bounds{};  // the worst value that is good enough
};

// From the member "prefer" of a checked spec, whose objectives these are.
Preference preference_from(const Json& prefer, const std::array<Objective, 2>& objectives);

// What a stored spec says of these objectives; nullopt where it says nothing.
std::optional<Preference> preference_in(const Json& spec, const std::array<Objective, 2>& objectives);

// "best accuracy with latency_ms of at most 20", "weight 0.7 of accuracy and 0.3 of latency_ms".
std::string preference_text(const Preference& preference, const std::array<Objective, 2>& objectives);

// The preference over the trials of one front: a weight is of values scaled to the front's range, where 1 is
// the front's best of an objective and 0 its worst. An immutable value.
class PreferredOrder {
 public:
  // `front`: the values of its trials, two each; not empty.
  PreferredOrder(const Preference& preference, const std::array<Objective, 2>& objectives,
                 const std::vector<std::vector<double>>& front);

  // The index in the front of the trial to take, the first of equals; nullopt where none keeps to the bounds.
  std::optional<std::size_t> chosen() const;
  // The one that is nearest to keeping to the bounds, by the front's range.
  std::size_t nearest() const;
  bool keeps_bounds(const std::vector<double>& values) const;
  // Whether a is preferred to b, which may be of another front. Both keep to the bounds.
  bool is_preferred(const std::vector<double>& a, const std::vector<double>& b) const;
  // "accuracy 0.93, latency_ms 12".
  std::string text(const std::vector<double>& values) const;

 private:
  double score(const std::vector<double>& values) const;  // more is better
  double scaled(const std::vector<double>& values, std::size_t objective) const;

  Preference preference_;
  std::array<Objective, 2> objectives_;
  std::vector<std::vector<double>> front_;
  std::array<double, 2> best_{}, range_{};
};

// The values of the history's front, as front_of() has it.
std::vector<std::vector<double>> front_values(const History& history);
// The number of the trial to take; nullopt where there is none.
std::optional<int> preferred_trial(const History& history, const Preference& preference);

}  // namespace tune
