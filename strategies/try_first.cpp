#include "strategies/try_first.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::strategies {
namespace {

// Adds the parents that the given parameters need to be active, where the point leaves them open: with the
// strategy's value if that will do. Where children need different values, the last in the spec wins.
std::vector<std::string> add_parents(const SearchSpace& space, const ParameterSet& rest,
                                     ParameterSet& point) {
  std::vector<std::string> added;
  const std::vector<std::size_t>& order = space.dependency_order();
  for (auto index = order.rbegin(); index != order.rend(); ++index) {
    const Parameter& parameter = space.parameters()[*index];
    if (!point.contains(parameter.name)) continue;
    for (const Condition& condition : parameter.when) {
      if (point.contains(condition.parent)) continue;
      const auto other = rest.find(condition.parent);
      const bool will_do = other != rest.end() && std::find(condition.any_of.begin(), condition.any_of.end(),
                                                            other->second) != condition.any_of.end();
      point[condition.parent] = will_do ? other->second : condition.any_of.front();
      added.push_back(condition.parent);
    }
  }
  return added;
}

Error no_parameter(const std::string& place, const std::string& name) {
  return {ExitCode::kBadSpec, place + ": there is no parameter \"" + name + "\"",
          "name only parameters of the search space"};
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace

TryFirst::TryFirst(std::unique_ptr<Strategy> inner, std::vector<ParameterSet> points, SearchSpace space,
                   std::string note)
    : inner_(std::move(inner)), points_(std::move(points)), space_(std::move(space)), note_(std::move(note)) {
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const std::string place = "strategy.try_first[" + std::to_string(i) + "]";
    for (auto& [name, value] : points_[i]) {
      const auto index = space_.find(name);
      if (!index) {
        throw no_parameter(place, name);
      }
      if (const auto objection = space_.parameters()[*index].objection(value)) {
        throw Error(ExitCode::kBadSpec, place + ": " + *objection, "widen the range or change the point");
      }
      value = space_.parameters()[*index].canonical(value);
    }
  }
}

Suggestion TryFirst::complete(ParameterSet given, const ParameterSet& rest, Rng& rng) const {
  const std::vector<std::string> parents = add_parents(space_, rest, given);
  Suggestion suggestion;
  suggestion.note = suggestion.brief = note_;
  suggestion.explanation = {{"strategy", "try_first"}};
  std::vector<std::string> filled, dropped;
  for (const std::size_t index : space_.dependency_order()) {
    const Parameter& parameter = space_.parameters()[index];
    const auto own = given.find(parameter.name);
    if (!space_.is_active(index, suggestion.parameters)) {
      if (own != given.end()) dropped.push_back(parameter.name);
      continue;
    }
    if (own != given.end()) {
      suggestion.parameters[parameter.name] = parameter.canonical(own->second);
      continue;
    }
    filled.push_back(parameter.name);
    const auto other = rest.find(parameter.name);
    // The given values may have activated a parameter that the inner strategy had left out.
    suggestion.parameters[parameter.name] =
        other != rest.end() ? other->second : parameter.from_unit(rng.uniform());
  }
  if (!parents.empty()) suggestion.note += "; which needs " + joined(parents);
  if (!filled.empty()) suggestion.note += "; the strategy chose " + joined(filled);
  if (!dropped.empty()) suggestion.note += "; not active and left out: " + joined(dropped);
  return suggestion;
}

// The first point that no trial has tried; people may have enqueued others in between.
std::size_t TryFirst::position(const History& history) const {
  const auto is_of = [](const TrialView& trial, const ParameterSet& point) {
    std::size_t equal = 0;
    for (const auto& [name, value] : point) {
      const auto own = trial.parameters.find(name);
      if (own == trial.parameters.end()) continue;  // not active
      if (own->second != value) return false;
      ++equal;
    }
    return equal > 0;
  };
  const auto own = static_cast<std::size_t>(history.next_number()) - 1;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].empty()) {  // all of it is the strategy's
      if (own <= i) return i;
      continue;
    }
    const auto repeats =
        std::count(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(i), points_[i]);
    std::ptrdiff_t tried = 0;
    for (std::size_t t = history.borrowed; t < history.trials.size(); ++t)
      tried += is_of(*history.trials[t], points_[i]);
    if (tried <= repeats) return i;
  }
  return points_.size();
}

Answer TryFirst::suggest(const History& history, Rng& rng) {
  const std::size_t position = this->position(history);
  Answer answer = inner_->suggest(history, rng);
  if (position >= points_.size()) return answer;
  const auto* inner = std::get_if<Suggestion>(&answer);
  return complete(points_[position], inner ? inner->parameters : ParameterSet{}, rng);
}

}  // namespace tune::strategies
