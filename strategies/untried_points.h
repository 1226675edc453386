#pragma once
// What is left of a discrete space.
#include <functional>
#include <set>
#include <vector>

#include "strategies/encoding.h"
#include "strategies/point_key.h"
#include "tuner/core/rng.h"

namespace tune::strategies {

// Finds points of a discrete space that no trial has had. Refers to the space and its encoding, which are the
// owning strategy's. Immutable.
class UntriedPoints {
 public:
  UntriedPoints(const SearchSpace& space, const Encoding& encoding);

  // False for a space with a continuous parameter, where no point is ever met twice.
  bool is_finite() const { return points_ > 0; }
  // Snapped. All of them in a space of up to kMostListed points, else some, drawn by `rng`; empty if and only
  // if every point was tried, or the space is continuous.
  std::vector<UnitPoint> list(const std::set<PointKey>& tried, Rng& rng) const;
  // The one of `units` (not empty) for which the distance from all points that were tried, which is how few
  // trials cover a space, and the `bonus` of its features are largest together.
  const UnitPoint& farthest(const std::vector<UnitPoint>& units, const std::set<PointKey>& tried,
                            const std::function<double(const Eigen::VectorXd&)>& bonus) const;

  static constexpr std::size_t kMostListed = 4096;

 private:
  std::vector<UnitPoint> drawn(const std::set<PointKey>& tried, Rng& rng) const;

  const SearchSpace& space_;
  const Encoding& encoding_;
  std::size_t points_;
};

}  // namespace tune::strategies
