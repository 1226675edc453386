#pragma once
// Search spaces and histories for tests of strategies and rules.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tuner/core/history.h"
#include "tuner/core/rng.h"
#include "tuner/core/space.h"

namespace tune::tests {

inline Parameter number(const std::string& name, double min, double max, Scale scale = Scale::kLinear) {
  Parameter parameter;
  parameter.name = name;
  parameter.min = min;
  parameter.max = max;
  parameter.scale = scale;
  return parameter;
}

inline Parameter stepped(const std::string& name, double min, double max, double step) {
  Parameter parameter = number(name, min, max);
  parameter.step = step;
  return parameter;
}

inline Parameter whole(const std::string& name, double min, double max, Scale scale = Scale::kLinear) {
  Parameter parameter = number(name, min, max, scale);
  parameter.type = ParameterType::kInt;
  return parameter;
}

inline Parameter choice(const std::string& name, std::vector<Json> values) {
  Parameter parameter;
  parameter.name = name;
  parameter.type = ParameterType::kCategorical;
  parameter.values = std::move(values);
  return parameter;
}

inline Parameter when(Parameter parameter, const std::string& parent, std::vector<Json> any_of) {
  parameter.when.push_back({parent, std::move(any_of)});
  return parameter;
}

inline Parameter with_levels(Parameter parameter, int levels) {
  parameter.levels = levels;
  return parameter;
}

// Every kind of parameter and scale, and conditions on conditions.
inline SearchSpace mixed_space() {
  return SearchSpace({number("learning_rate", 1e-5, 1e-1, Scale::kLog),
                      number("momentum", 0.5, 0.999, Scale::kReverseLog), stepped("dropout", 0, 0.5, 0.1),
                      whole("batch_size", 8, 64, Scale::kLog),
                      choice("optimizer", {"sgd", "adam", Json{{"name", "lion"}}}),
                      when(choice("nesterov", {true, false}), "optimizer", {"sgd"}),
                      when(number("damping", 0, 1), "nesterov", {false}),
                      when(whole("warmup", 0, 100), "optimizer", {"adam", Json{{"name", "lion"}}})});
}

inline SearchSpace cube(int dimensions) {
  std::vector<Parameter> parameters;
  for (int i = 0; i < dimensions; ++i) parameters.push_back(number("x" + std::to_string(i), 0, 1));
  return SearchSpace(std::move(parameters));
}

inline Objective minimize() { return {"loss", Goal::kMinimize, Reduce::kBest}; }
inline Objective maximize() { return {"accuracy", Goal::kMaximize, Reduce::kBest}; }

inline ParameterSet random_point(const SearchSpace& space, Rng& rng) {
  std::vector<double> unit(space.size());
  for (double& u : unit) u = rng.uniform();
  return space.from_unit(unit);
}

inline void add_trial(History& history, ParameterSet parameters, TrialState state,
                      std::vector<double> values = {}) {
  auto trial = std::make_shared<TrialView>();
  trial->number = history.next_number();
  trial->parameters = std::move(parameters);
  trial->state = state;
  trial->values = std::move(values);
  if (state == TrialState::kFailed) trial->failure = "crash";
  history.trials.push_back(std::move(trial));
}

// Completed trials at random points, with a value that depends on the point.
inline History completed_history(const SearchSpace& space, const Objective& objective, int trials,
                                 std::uint64_t seed) {
  History history{objective, {}};
  for (int i = 0; i < trials; ++i) {
    Rng rng(seed, static_cast<std::uint64_t>(i));
    ParameterSet point = random_point(space, rng);
    double value = 0.01 * rng.normal();
    for (const double u : space.to_unit(point)) value += (u - 0.3) * (u - 0.3);
    add_trial(history, std::move(point), TrialState::kCompleted, {value});
  }
  return history;
}

// Trials of every state, with curves that hold NaN and infinities.
inline History turbulent_history(const SearchSpace& space, const Objective& objective, int trials,
                                 std::uint64_t seed) {
  History history{objective, {}};
  for (int i = 0; i < trials; ++i) {
    Rng rng(seed, static_cast<std::uint64_t>(i));
    ParameterSet point = random_point(space, rng);
    static constexpr TrialState kStates[] = {
        TrialState::kCompleted, TrialState::kFailed, TrialState::kStopped, TrialState::kCompleted,
        TrialState::kRunning,   TrialState::kQueued, TrialState::kPaused,  TrialState::kStopped};
    const TrialState state = kStates[rng.below(8)];
    std::vector<double> values;
    if (state == TrialState::kCompleted || (state == TrialState::kStopped && rng.below(2) == 0))
      values = {rng.normal()};
    add_trial(history, std::move(point), state, std::move(values));
    auto trial = std::make_shared<TrialView>(*history.trials.back());
    trial->curve = {{1, rng.normal()},
                    {2, std::numeric_limits<double>::quiet_NaN()},
                    {3, std::numeric_limits<double>::infinity()},
                    {4, rng.normal()}};
    history.trials.back() = std::move(trial);
  }
  return history;
}

// The same with a second objective: values that pull the other way, that are the same, or that are absurd,
// and none for some of the trials that have not completed.
inline History with_second(History history) {
  history.second = Objective{"seconds", Goal::kMaximize, Reduce::kLast};
  Rng rng(17);
  for (auto& trial : history.trials) {
    auto changed = std::make_shared<TrialView>(*trial);
    const double others[] = {changed->values.empty() ? 0 : changed->values[0], 1, 1e308, rng.normal(),
                             -1e300};
    const std::size_t which = rng.below(6);
    const bool is_missing = which == 5 && changed->state != TrialState::kCompleted;
    if (!changed->values.empty() && !is_missing) changed->values.push_back(others[which % 5]);
    changed->second_curve = {{1, rng.normal()}, {2, std::numeric_limits<double>::quiet_NaN()}};
    trial = std::move(changed);
  }
  return history;
}

}  // namespace tune::tests
