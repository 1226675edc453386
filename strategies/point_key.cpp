#include "strategies/point_key.h"

namespace tune::strategies {

PointKey point_key(const SearchSpace& space, const ParameterSet& point) { return space.to_unit(point, -1.0); }

std::set<PointKey> tried_points(const SearchSpace& space, const History& history) {
  std::set<PointKey> keys;
  for (const auto& trial : history.trials) {
    if (!space.objection(trial->parameters)) keys.insert(point_key(space, trial->parameters));
  }
  return keys;
}

bool is_used_up(const SearchSpace& space, std::size_t points, const History& history) {
  return points > 0 && history.trials.size() >= points && tried_points(space, history).size() >= points;
}

}  // namespace tune::strategies
