#pragma once
// The points of a discrete space, one after the other.
#include <vector>

#include "tuner/core/space.h"

namespace tune::strategies {

// Visits every point once, in a fixed order: the first parameter slowest, parents before the parameters that
// depend on them. An inactive parameter multiplies nothing. Holds one point at a time, so huge spaces cost
// nothing. Refers to the space, which must outlive it and have no continuous parameter.
class GridWalk {
 public:
  explicit GridWalk(const SearchSpace& space);

  const ParameterSet& point() const { return point_; }
  bool advance();  // false at the end; point() stays the last one

 private:
  void fill_from(std::size_t position);
  const Parameter& parameter_at(std::size_t position) const;

  const SearchSpace& space_;
  std::vector<std::size_t> digits_;  // in dependency order; kInactive where the digits before make it so
  ParameterSet point_;
};

}  // namespace tune::strategies
