#include "tuner/core/placed_point.h"

#include <utility>

namespace tune {

ParameterSet completed_point(const SearchSpace& space, ParameterSet point,
                             const std::map<std::string, Json>& assumed) {
  for (const std::size_t index : space.dependency_order()) {
    const Parameter& parameter = space.parameters()[index];
    const auto value = assumed.find(parameter.name);
    if (value == assumed.end() || point.contains(parameter.name) || !space.is_active(index, point)) continue;
    point.emplace(parameter.name, parameter.canonical(value->second));
  }
  return point;
}

PlacedPoint placed_point(const SearchSpace& space, const ParameterSet& point,
                         const std::map<std::string, Json>& assumed, const ParameterSet& fixed) {
  ParameterSet placed;
  for (const auto& [name, value] : completed_point(space, point, assumed)) {
    if (const auto index = space.find(name)) {
      placed.emplace(name, space.parameters()[*index].canonical(value));
      continue;
    }
    const auto now = fixed.find(name);
    if (now == fixed.end()) return {std::nullopt, name + " is not searched any more"};
    if (now->second != value)
      return {std::nullopt,
              name + " is " + argument_text(value) + ", and " + argument_text(now->second) + " is fixed"};
  }
  if (auto objection = space.objection(placed)) return {std::nullopt, *std::move(objection)};
  return {std::move(placed)};
}

}  // namespace tune
