#include "strategies/try_first.h"

namespace tune::strategies {
namespace {

// The value as its parameter writes it: 1 becomes 1.0 for a float, 8.0 becomes 8 for an int.
Json canonical(const Parameter& parameter, const Json& value) {
  if (parameter.type == ParameterType::kFloat) return value.get<double>();
  if (parameter.type == ParameterType::kInt && value.is_number_float())
    return static_cast<std::int64_t>(value.get<double>());
  return value;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

TryFirst::TryFirst(std::unique_ptr<Strategy> inner, std::vector<ParameterSet> points, SearchSpace space)
    : inner_(std::move(inner)), points_(std::move(points)), space_(std::move(space)) {
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const std::string place = "strategy.try_first[" + std::to_string(i) + "]";
    for (const auto& [name, value] : points_[i]) {
      const auto index = space_.find(name);
      if (!index) {
        throw Error(ExitCode::kBadSpec, place + ": there is no parameter \"" + name + "\"",
                    "name only parameters of the search space");
      }
      if (const auto objection = space_.parameters()[*index].objection(value)) {
        throw Error(ExitCode::kBadSpec, place + ": " + *objection, "widen the range or change the point");
      }
    }
  }
}

Suggestion TryFirst::complete(const ParameterSet& given, const ParameterSet& rest, Rng& rng) const {
  Suggestion suggestion;
  suggestion.note = "from try_first";
  std::vector<std::string> filled, dropped;
  for (const std::size_t index : space_.dependency_order()) {
    const Parameter& parameter = space_.parameters()[index];
    const auto own = given.find(parameter.name);
    if (!space_.is_active(index, suggestion.parameters)) {
      if (own != given.end()) dropped.push_back(parameter.name);
      continue;
    }
    if (own != given.end()) {
      suggestion.parameters[parameter.name] = canonical(parameter, own->second);
      continue;
    }
    filled.push_back(parameter.name);
    const auto other = rest.find(parameter.name);
    // The given values may have activated a parameter that the inner strategy had left out.
    suggestion.parameters[parameter.name] =
        other != rest.end() ? other->second : parameter.from_unit(rng.uniform());
  }
  if (!filled.empty()) suggestion.note += "; the strategy chose " + joined(filled);
  if (!dropped.empty()) suggestion.note += "; not active and left out: " + joined(dropped);
  return suggestion;
}

Answer TryFirst::suggest(const History& history, Rng& rng) {
  const auto position = static_cast<std::size_t>(history.next_number() - 1);
  Answer answer = inner_->suggest(history, rng);
  if (position >= points_.size()) return answer;
  const auto* inner = std::get_if<Suggestion>(&answer);
  return complete(points_[position], inner ? inner->parameters : ParameterSet{}, rng);
}

}  // namespace tune::strategies
