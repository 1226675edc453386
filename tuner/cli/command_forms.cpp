#include "tuner/cli/command_forms.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "tuner/core/number_text.h"
#include "tuner/core/space.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/report/text/format.h"
#include "tuner/spec/placeholder.h"

namespace tune::cli {
namespace {

// The values of a parameter that may give the command another form: all of a switch and of one that may be
// null, and those that others wait for. A single empty entry stands for the middle of the range.
std::vector<std::optional<Json>> deciding_values(const SearchSpace& space, const Parameter& parameter) {
  std::vector<std::optional<Json>> values{std::nullopt};
  const bool has_null =
      std::find(parameter.values.begin(), parameter.values.end(), Json()) != parameter.values.end();
  if (has_null || is_switch(parameter.values)) return {parameter.values.begin(), parameter.values.end()};
  bool is_parent = false;
  for (const Parameter& child : space.parameters())
    for (const Condition& condition : child.when) {
      if (condition.parent != parameter.name) continue;
      is_parent = true;
      if (parameter.type == ParameterType::kCategorical) continue;
      for (const Json& value : condition.any_of) values.emplace_back(value);
    }
  if (is_parent && parameter.type == ParameterType::kCategorical)
    return {parameter.values.begin(), parameter.values.end()};
  return values;
}

// From a continuous range a number that is short to read.
Json middle_of(const Parameter& parameter) {
  const Json middle = parameter.from_unit(0.5);
  if (parameter.cardinality() > 0) return middle;
  const std::string text = number_text(middle.get<double>());
  return std::clamp(std::strtod(text.c_str(), nullptr), parameter.min, parameter.max);
}

}  // namespace

std::vector<std::vector<std::string>> command_forms(const Spec& spec) {
  // A grid takes the values of its levels and no others.
  const SearchSpace tried = spec.strategy.name == "grid" ? grid_space(spec.space) : spec.space;
  constexpr std::size_t kMostCombinations = 256;
  std::vector<std::vector<std::string>> forms;
  if (spec.command.empty()) return forms;
  std::vector<ParameterSet> sets{{}};
  for (const std::size_t index : spec.space.dependency_order()) {
    const Parameter& parameter = spec.space.parameters()[index];
    const auto values = deciding_values(spec.space, parameter);
    std::vector<ParameterSet> grown;
    for (const ParameterSet& set : sets) {
      if (!spec.space.is_active(index, set)) {
        grown.push_back(set);
        continue;
      }
      for (const std::optional<Json>& value : values) {
        if (grown.size() >= kMostCombinations) break;
        ParameterSet next = set;
        next[parameter.name] = value ? *value : middle_of(tried.parameters()[index]);
        grown.push_back(std::move(next));
      }
    }
    sets = std::move(grown);
  }
  std::map<std::string, Json> fixed;
  for (const auto& [name, value] : spec.fixed.items()) fixed[name] = Json(value);
  for (const std::string& name : built_in_placeholders()) fixed[name] = "{{" + name + "}}";
  std::set<std::vector<std::string>> seen;
  for (const ParameterSet& set : sets) {
    std::map<std::string, Json> values = fixed;
    values.insert(set.begin(), set.end());
    std::vector<std::string> form = engine::fill_arguments(spec.command, spec.space, values);
    if (seen.insert(form).second) forms.push_back(std::move(form));
  }
  return forms;
}

}  // namespace tune::cli
