#pragma once
// The points of a discrete space, one after the other.
#include <vector>

#include "tuner/core/space.h"

namespace tune::strategies {

// Visits every point once, in a fixed order: the first parameter slowest, parents before the parameters that
// depend on them. An inactive parameter multiplies nothing. Holds one point at a time, so huge spaces cost
// nothing. Refers to the space, which must outlive it.
class GridWalk {
 public:
  // With `use_levels`, a parameter that has `levels` takes so many values, its ends included, instead of all
  // it has (where that is fewer). Every parameter must have a finite number of values then.
  GridWalk(const SearchSpace& space, bool use_levels);

  const ParameterSet& point() const { return point_; }
  bool advance();  // false at the end; point() stays the last one

 private:
  void fill_from(std::size_t position);
  std::size_t value_count(std::size_t position) const;
  Json value(std::size_t position, std::size_t digit) const;
  const Parameter& parameter_at(std::size_t position) const;

  const SearchSpace& space_;
  bool use_levels_;
  std::vector<std::size_t> digits_;  // in dependency order; kInactive where the digits before make it so
  ParameterSet point_;
};

// How many values a grid over this parameter has; 0 for a continuous one without `levels`.
std::size_t grid_values(const Parameter& parameter);

}  // namespace tune::strategies
