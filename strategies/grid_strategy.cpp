#include "strategies/grid_strategy.h"

#include <limits>

#include "strategies/point_key.h"

namespace tune::strategies {
namespace {

constexpr std::size_t kInactive = std::numeric_limits<std::size_t>::max();

// `levels` thins a discrete parameter out too, but never beyond the values that it has.
bool uses_levels(const Parameter& p) {
  return p.levels && (p.cardinality() == 0 || static_cast<std::size_t>(*p.levels) < p.cardinality());
}

}  // namespace

GridStrategy::GridStrategy(SearchSpace space) : space_(std::move(space)) {
  for (const Parameter& p : space_.parameters()) {
    if (p.cardinality() == 0 && !p.levels) {
      throw Error(ExitCode::kBadSpec, "strategy grid: parameter \"" + p.name + "\" is continuous",
                  "give it \"step\" or \"levels\", or take strategy sobol, which needs neither");
    }
  }
}

std::size_t GridStrategy::value_count(std::size_t position) const {
  const Parameter& p = space_.parameters()[space_.dependency_order()[position]];
  return uses_levels(p) ? static_cast<std::size_t>(*p.levels) : p.cardinality();
}

Json GridStrategy::value(std::size_t position, std::size_t digit) const {
  const Parameter& p = space_.parameters()[space_.dependency_order()[position]];
  const auto at = static_cast<double>(digit);
  const auto count = static_cast<double>(value_count(position));
  if (uses_levels(p)) return p.from_unit(*p.levels > 1 ? at / (count - 1) : 0.5);
  if (p.type == ParameterType::kCategorical) return p.values[digit];
  if (p.type == ParameterType::kInt) {
    const auto step = static_cast<std::int64_t>(p.step.value_or(1.0));
    return static_cast<std::int64_t>(p.min) + static_cast<std::int64_t>(digit) * step;
  }
  // The space's own rounding of min + k*step, so that the value is exactly one that it accepts.
  return p.step ? p.from_unit(p.to_unit(p.min + at * *p.step)) : p.from_unit(0.5);
}

void GridStrategy::fill_from(std::size_t position, Digits& digits, ParameterSet& point) const {
  const auto& order = space_.dependency_order();
  for (std::size_t i = position; i < order.size(); ++i) point.erase(space_.parameters()[order[i]].name);
  for (std::size_t i = position; i < order.size(); ++i) {
    digits[i] = kInactive;
    if (!space_.is_active(order[i], point)) continue;
    digits[i] = 0;
    point[space_.parameters()[order[i]].name] = value(i, 0);
  }
}

bool GridStrategy::advance(Digits& digits, ParameterSet& point) const {
  for (std::size_t i = digits.size(); i-- > 0;) {
    if (digits[i] == kInactive || digits[i] + 1 >= value_count(i)) continue;
    ++digits[i];
    point[space_.parameters()[space_.dependency_order()[i]].name] = value(i, digits[i]);
    fill_from(i + 1, digits, point);
    return true;
  }
  return false;
}

Answer GridStrategy::suggest(const History& history, Rng&) {
  const std::set<PointKey> tried = tried_points(space_, history);
  Digits digits(space_.size());
  ParameterSet point;
  fill_from(0, digits, point);
  std::size_t index = 1;
  // `levels` of a narrow int may round to one value twice; the walk steps over whatever was tried, so also
  // over that.
  while (tried.contains(point_key(space_, point))) {
    if (!advance(digits, point)) return Exhausted{};
    ++index;
  }
  Suggestion suggestion;
  suggestion.parameters = std::move(point);
  suggestion.note = "grid point " + std::to_string(index);
  const std::size_t total = space_.cardinality();
  if (total > 0) suggestion.note += " of " + std::to_string(total);
  return suggestion;
}

}  // namespace tune::strategies
