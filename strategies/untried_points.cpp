#include "strategies/untried_points.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "strategies/grid_walk.h"

namespace tune::strategies {

UntriedPoints::UntriedPoints(const SearchSpace& space, const Encoding& encoding)
    : space_(space), encoding_(encoding), points_(space.cardinality()) {}

std::vector<UnitPoint> UntriedPoints::list(const std::set<PointKey>& tried, Rng& rng) const {
  std::vector<UnitPoint> units;
  if (!is_finite()) return units;
  const bool is_small = points_ <= kMostListed;
  if (!is_small) units = drawn(tried, rng);
  if (!units.empty()) return units;
  // In a large space with hardly a point left the first one will do: it is met after at most as many steps as
  // there are trials.
  GridWalk walk(space_);
  do {
    if (tried.contains(point_key(space_, walk.point()))) continue;
    units.push_back(space_.to_unit(walk.point()));
    if (!is_small) break;
  } while (walk.advance());
  return units;
}

std::vector<UnitPoint> UntriedPoints::drawn(const std::set<PointKey>& tried, Rng& rng) const {
  constexpr int kDraws = 512;
  std::vector<UnitPoint> units;
  std::set<PointKey> seen;
  for (int i = 0; i < kDraws; ++i) {
    UnitPoint unit(space_.size());
    for (double& u : unit) u = rng.uniform();
    const ParameterSet point = space_.from_unit(unit);
    PointKey key = point_key(space_, point);
    if (tried.contains(key) || !seen.insert(std::move(key)).second) continue;
    units.push_back(space_.to_unit(point));
  }
  return units;
}

const UnitPoint& UntriedPoints::farthest(const std::vector<UnitPoint>& units, const std::set<PointKey>& tried,
                                         const std::function<double(const Eigen::VectorXd&)>& bonus) const {
  std::vector<Eigen::VectorXd> known;
  for (const PointKey& key : tried) {
    UnitPoint unit = key;
    Activity active(unit.size(), 1);
    for (std::size_t i = 0; i < unit.size(); ++i)
      if (unit[i] < 0) active[i] = 0, unit[i] = 0.5;
    known.push_back(encoding_.encode(unit, active));
  }
  const UnitPoint* best = &units.front();
  double best_score = -std::numeric_limits<double>::infinity();
  for (const UnitPoint& unit : units) {
    const Eigen::VectorXd features = encoding_.encode(unit);
    double nearest = std::numeric_limits<double>::infinity();
    for (const Eigen::VectorXd& other : known) nearest = std::min(nearest, (features - other).squaredNorm());
    const double score = (known.empty() ? 0 : std::sqrt(nearest)) + bonus(features);
    if (score > best_score) best = &unit, best_score = score;
  }
  return *best;
}

}  // namespace tune::strategies
