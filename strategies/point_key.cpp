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

}  // namespace tune::strategies
