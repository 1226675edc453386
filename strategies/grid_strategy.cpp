#include "strategies/grid_strategy.h"

#include "strategies/grid_walk.h"
#include "strategies/point_key.h"
#include "tuner/core/error.h"
#include "tuner/core/space.h"

namespace tune::strategies {

GridStrategy::GridStrategy(SearchSpace space) : space_(std::move(space)) {
  for (const Parameter& parameter : space_.parameters()) {
    if (parameter.cardinality() > 0 || parameter.levels) continue;
    throw Error(ExitCode::kBadSpec, "strategy grid: parameter \"" + parameter.name + "\" is continuous",
                "give it \"step\" or \"levels\", or take strategy sobol, which needs neither");
  }
  grid_ = grid_space(space_);
}

Answer GridStrategy::suggest(const History& history, Rng&) {
  const std::set<PointKey> tried = tried_points(space_, history);
  GridWalk walk(grid_);
  std::size_t index = 1;
  while (tried.contains(point_key(space_, walk.point()))) {
    if (!walk.advance()) return Exhausted{};
    ++index;
  }
  Suggestion suggestion;
  suggestion.parameters = walk.point();
  suggestion.note = "grid point " + std::to_string(index);
  suggestion.brief = suggestion.note;
  return suggestion;
}

}  // namespace tune::strategies
