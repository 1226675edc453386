#pragma once
// One parameter of a search space: its values, its scale, when it is active, and its side of the unit cube.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune {

enum class ParameterType { kFloat, kInt, kCategorical };
enum class Scale { kLinear, kLog, kReverseLog };  // `auto` is resolved when the spec is read

constexpr double kStepTolerance = 1e-9;  // of a step: decimal steps such as 0.1 are not exact in binary

// Active while the parent is active and its value equals one of `any_of`. Several conditions mean and.
struct Condition {
  std::string parent;
  std::vector<Json> any_of;
};

struct Parameter {
  std::string name;  // ^[A-Za-z_][A-Za-z0-9_.-]{0,63}$
  ParameterType type = ParameterType::kFloat;
  double min = 0, max = 0;       // numbers only, inclusive; ints within +-2^53
  Scale scale = Scale::kLinear;  // numbers only. log: min > 0. reverse_log: 0 <= min, max < 1
  std::optional<double> step;    // floats and ints: values are min + k*step <= max
  std::vector<Json> values;      // categorical only, distinct, at least one
  std::optional<int> levels;     // grid only: how many points of a range, ends included, >= 2
  std::vector<Condition> when;

  // How many values it has; 0 for a continuous range.
  std::size_t cardinality() const;
  // The k-th of cardinality() values, ascending (categorical: the order of the spec). Throws
  // std::out_of_range beyond, and for a continuous range.
  Json value_at(std::size_t k) const;
  // The unit-cube coordinate in [0, 1] of a value. Numbers: position on the scale, continuous ranges end to
  // end. Each of n discrete values (step, int, categorical) owns a cell, and its centre is the coordinate:
  // cells meet halfway between neighbours on the scale, and the outermost two are symmetric. So linear and
  // categorical cells are 1/n wide, and on a log scale small integers own wider cells than large ones.
  // Numbers outside [min, max] are clamped; throws std::invalid_argument for a value of the wrong type or not
  // among the categorical values.
  double to_unit(const Json& value) const;
  // The inverse: clamps u to [0, 1] (NaN counts as 0.5) and finds the value whose cell holds it.
  // from_unit(to_unit(v)) == v for discrete parameters of up to 2^40 values, and within rounding of the scale
  // (and never outside [min, max]) for continuous ones.
  Json from_unit(double u) const;
  // The points that a grid takes of a range with `levels`: so many values, evenly placed on the scale, ends
  // included, no two alike, written as people write them (1e-4, not 9.999999999999991e-05) where that is the
  // same within rounding. Empty where a grid takes every value: without `levels`, or with fewer values than
  // these.
  std::vector<Json> level_values() const;
  // The value as this parameter writes it: 1 becomes 1.0 for a float, 8.0 becomes 8 for an int. What it
  // cannot have stays as it is.
  Json canonical(const Json& value) const;
  // Why `value` is not one of this parameter's, as a sentence; nullopt if it is.
  std::optional<std::string> objection(const Json& value) const;
};

}  // namespace tune
