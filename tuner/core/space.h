#pragma once
// The search space: its parameters together, and the map to and from the unit cube.
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/core/parameter.h"

namespace tune {

// The hyperparameters of one trial: active parameters only, by name. A float is a JSON number, an int a JSON
// integer.
using ParameterSet = std::map<std::string, Json>;

// Immutable after construction; cheap to share between threads.
class SearchSpace {
 public:
  SearchSpace() = default;
  // Parameters in the order of the spec. Throws std::invalid_argument for an unknown parent or a cycle.
  explicit SearchSpace(std::vector<Parameter> parameters);

  const std::vector<Parameter>& parameters() const { return parameters_; }  // the order of the spec
  std::size_t size() const { return parameters_.size(); }
  std::optional<std::size_t> find(const std::string& name) const;
  bool is_conditional() const;
  // Whether parameter `index` is active, given the values of its ancestors in `set`.
  bool is_active(std::size_t index, const ParameterSet& set) const;

  // One coordinate a parameter, in order; inactive parameters are left out of the result.
  ParameterSet from_unit(std::span<const double> unit) const;
  // size() coordinates; `inactive` stands where a parameter is not active.
  std::vector<double> to_unit(const ParameterSet& set, double inactive = 0.5) const;
  // Why the set is not a point of this space (missing, unknown, inactive or out-of-range name); nullopt if it
  // is.
  std::optional<std::string> objection(const ParameterSet& set) const;
  // Number of points; 0 when there is a continuous parameter. Conditions are taken into account up to 2^20
  // points, and ignored beyond (then it is an upper bound).
  std::size_t cardinality() const;
  // Parents before children.
  const std::vector<std::size_t>& dependency_order() const { return order_; }

 private:
  std::vector<Parameter> parameters_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::size_t> order_;
};

// The space as a grid sees it: a parameter with `levels` has these values and no others. Its cardinality() is
// the number of the grid's points; 0 where a continuous parameter has no levels.
SearchSpace grid_space(const SearchSpace& space);

}  // namespace tune
