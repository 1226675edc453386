#include "tuner/core/parameter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>

namespace tune {
namespace {

double to_scale(double value, Scale scale) {
  switch (scale) {
    case Scale::kLinear:
      return value;
    case Scale::kLog:
      return std::log(value);
    case Scale::kReverseLog:
      return -std::log1p(-value);
  }
  return value;
}

double from_scale(double position, Scale scale) {
  switch (scale) {
    case Scale::kLinear:
      return position;
    case Scale::kLog:
      return std::exp(position);
    case Scale::kReverseLog:
      return -std::expm1(-position);
  }
  return position;
}

double step_of(const Parameter& parameter) { return parameter.step.value_or(1); }

// min + k * step as a person writes it: 0.1 + 2 * 0.1 is 0.3, not 0.30000000000000004.
double lattice_value(const Parameter& parameter, std::size_t k) {
  if (k == 0) return parameter.min;
  const double value = parameter.min + static_cast<double>(k) * step_of(parameter);
  if (parameter.type == ParameterType::kInt) return value;
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value);
  return std::clamp(std::strtod(text, nullptr), parameter.min, parameter.max);
}

std::size_t nearest_index(const Parameter& parameter, double value, std::size_t count) {
  const double k = std::round((value - parameter.min) / step_of(parameter));
  return static_cast<std::size_t>(std::clamp(k, 0.0, static_cast<double>(count - 1)));
}

// The cells of a numeric lattice, as positions on the scale.
class Cells {
 public:
  Cells(const Parameter& parameter, std::size_t count) : parameter_(parameter), count_(count) {
    first_ = position(0) - (position(1) - position(0)) / 2;
    last_ = position(count - 1) + (position(count - 1) - position(count - 2)) / 2;
  }
  double to_unit(std::size_t k) const {
    const double centre = (lower_edge(k) + lower_edge(k + 1)) / 2;
    return std::clamp((centre - first_) / (last_ - first_), 0.0, 1.0);
  }
  std::size_t from_unit(double u) const {
    const double at = first_ + u * (last_ - first_);
    std::size_t k = nearest_index(parameter_, from_scale(at, parameter_.scale), count_);
    // The nearest value is not always the owner of the cell: edges are halfway on the scale, not in value.
    while (k > 0 && at < lower_edge(k)) --k;
    while (k + 1 < count_ && at >= lower_edge(k + 1)) ++k;
    return k;
  }

 private:
  double position(std::size_t k) const { return to_scale(lattice_value(parameter_, k), parameter_.scale); }
  double lower_edge(std::size_t k) const {
    if (k == 0) return first_;
    if (k == count_) return last_;
    return (position(k - 1) + position(k)) / 2;
  }

  const Parameter& parameter_;
  std::size_t count_;
  double first_ = 0, last_ = 0;
};

// The value of the lattice that is nearest on the scale.
std::size_t nearest_on_scale(const Parameter& parameter, double at, std::size_t count) {
  const auto distance = [&](std::size_t k) {
    return std::abs(to_scale(lattice_value(parameter, k), parameter.scale) - at);
  };
  std::size_t best = nearest_index(parameter, from_scale(at, parameter.scale), count);
  while (best > 0 && distance(best - 1) < distance(best)) --best;
  while (best + 1 < count && distance(best + 1) < distance(best)) ++best;
  return best;
}

// Each level takes the value nearest to its even place; where several want the same one, as small integers on
// a log scale do, they move on to the next ones, but not past the end.
std::vector<Json> lattice_levels(const Parameter& parameter, std::size_t count, std::size_t levels) {
  const double low = to_scale(parameter.min, parameter.scale);
  const double high = to_scale(lattice_value(parameter, count - 1), parameter.scale);
  std::vector<std::size_t> chosen(levels);
  for (std::size_t i = 0; i < levels; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(levels - 1);
    chosen[i] = nearest_on_scale(parameter, low + part * (high - low), count);
    if (i > 0) chosen[i] = std::max(chosen[i], chosen[i - 1] + 1);
  }
  for (std::size_t i = levels, end = count; i-- > 0; end = chosen[i])
    chosen[i] = std::min(chosen[i], end - 1);
  chosen.back() = count - 1;
  std::vector<Json> values;
  for (const std::size_t k : chosen) values.push_back(parameter.value_at(k));
  return values;
}

// The number with the fewest digits that differs from this one by no more than rounding on its way from the
// scale may have done.
double as_written(double value, double rounding) {
  constexpr int kMostDigits = 12;  // with more, nobody would have written it
  for (int digits = 1; digits <= kMostDigits; ++digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
    const double candidate = std::strtod(text, nullptr);
    if (std::abs(candidate - value) <= rounding) return candidate;
  }
  return value;
}

std::vector<Json> continuous_levels(const Parameter& parameter, std::size_t levels) {
  const double low = to_scale(parameter.min, parameter.scale),
               high = to_scale(parameter.max, parameter.scale);
  const double largest = std::max(std::abs(low), std::abs(high));
  const auto rounding = [&](double value) {
    constexpr double kRoundings = 8 * std::numeric_limits<double>::epsilon();
    switch (parameter.scale) {
      case Scale::kLinear:
        return kRoundings * largest;
      case Scale::kLog:
        return kRoundings * std::max(largest, 1.0) * value;
      case Scale::kReverseLog:
        return kRoundings * (std::max(largest, 1.0) * (1 - value) + value);
    }
    return 0.0;
  };
  std::vector<Json> values;
  for (std::size_t i = 0; i < levels; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(levels - 1);
    double value = i == 0 ? parameter.min : parameter.max;
    if (i > 0 && i + 1 < levels) {
      value = from_scale(low + part * (high - low), parameter.scale);
      value = std::clamp(as_written(value, rounding(value)), parameter.min, parameter.max);
    }
    if (values.empty() || values.back() != value) values.push_back(value);
  }
  return values;
}

std::optional<std::size_t> index_of(const std::vector<Json>& values, const Json& value) {
  const auto found = std::find(values.begin(), values.end(), value);
  if (found == values.end()) return std::nullopt;
  return static_cast<std::size_t>(found - values.begin());
}

double even_cell_centre(std::size_t k, std::size_t count) {
  return (static_cast<double>(k) + 0.5) / static_cast<double>(count);
}

std::size_t even_cell(double u, std::size_t count) {
  return std::min(static_cast<std::size_t>(u * static_cast<double>(count)), count - 1);
}

// Whether cells are 1/n wide, so that no scale is needed. A single value owns all of [0, 1].
bool has_even_cells(const Parameter& parameter, std::size_t count) {
  return parameter.type == ParameterType::kCategorical || parameter.scale == Scale::kLinear || count == 1;
}

std::string listed(const std::vector<Json>& values) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < values.size() && i < kShown; ++i) text += (i ? ", " : "") + values[i].dump();
  return values.size() > kShown ? text + ", ..." : text;
}

}  // namespace

std::size_t Parameter::cardinality() const {
  if (type == ParameterType::kCategorical) return values.size();
  if (min == max) return 1;
  if (type == ParameterType::kFloat && !step) return 0;
  return static_cast<std::size_t>(std::floor((max - min) / step_of(*this) + kStepTolerance)) + 1;
}

Json Parameter::value_at(std::size_t k) const {
  if (k >= cardinality())
    throw std::out_of_range("parameter \"" + name + "\" has no value number " + std::to_string(k));
  if (type == ParameterType::kCategorical) return values[k];
  if (type == ParameterType::kInt) return static_cast<std::int64_t>(lattice_value(*this, k));
  return lattice_value(*this, k);
}

Json Parameter::canonical(const Json& value) const {
  if (type == ParameterType::kFloat && value.is_number()) return value.get<double>();
  if (type == ParameterType::kInt && value.is_number_float()) {
    constexpr double kLargest = 9007199254740992;  // 2^53
    const double number = value.get<double>();
    if (number == std::floor(number) && std::abs(number) <= kLargest)
      return static_cast<std::int64_t>(number);
  }
  return value;
}

std::vector<Json> Parameter::level_values() const {
  const std::size_t all = cardinality();
  if (!levels || type == ParameterType::kCategorical) return {};
  const auto wanted = static_cast<std::size_t>(std::max(*levels, 2));
  if (all == 0) return continuous_levels(*this, wanted);
  return wanted < all ? lattice_levels(*this, all, wanted) : std::vector<Json>();
}

double Parameter::to_unit(const Json& value) const {
  const std::size_t count = cardinality();
  if (type == ParameterType::kCategorical) {
    const auto k = index_of(values, value);
    if (!k)
      throw std::invalid_argument("parameter \"" + name + "\": " + value.dump() +
                                  " is not one of its values");
    return even_cell_centre(*k, count);
  }
  if (!value.is_number())
    throw std::invalid_argument("parameter \"" + name + "\": " + value.dump() + " is not a number");
  const double number = std::clamp(value.get<double>(), min, max);
  if (count == 0) {
    const double low = to_scale(min, scale), high = to_scale(max, scale);
    // Bounds that are neighbouring doubles may fall together on the scale.
    return low < high ? std::clamp((to_scale(number, scale) - low) / (high - low), 0.0, 1.0) : 0.5;
  }
  const std::size_t k = count == 1 ? 0 : nearest_index(*this, number, count);
  return has_even_cells(*this, count) ? even_cell_centre(k, count) : Cells(*this, count).to_unit(k);
}

Json Parameter::from_unit(double u) const {
  u = std::isnan(u) ? 0.5 : std::clamp(u, 0.0, 1.0);
  const std::size_t count = cardinality();
  if (count > 0)
    return value_at(has_even_cells(*this, count) ? even_cell(u, count) : Cells(*this, count).from_unit(u));
  // The ends are exact whatever exp(log(x)) rounds to.
  if (u == 0) return min;
  if (u == 1) return max;
  const double low = to_scale(min, scale), high = to_scale(max, scale);
  return std::clamp(from_scale(low + u * (high - low), scale), min, max);
}

std::optional<std::string> Parameter::objection(const Json& value) const {
  if (type == ParameterType::kCategorical) {
    if (index_of(values, value)) return std::nullopt;
    return value.dump() + " is not one of its values: " + listed(values);
  }
  if (type == ParameterType::kInt && !value.is_number_integer()) return value.dump() + " is not an integer";
  if (!value.is_number()) return value.dump() + " is not a number";
  const double number = value.get<double>();
  const std::string text = argument_text(value);
  const auto written = [this](double part) { return argument_text(canonical(Json(part))); };
  if (!std::isfinite(number)) return text + " is not finite";
  if (number < min) return text + " is less than its min " + written(min);
  if (number > max) return text + " is greater than its max " + written(max);
  const std::size_t count = cardinality();
  if (count < 2) return std::nullopt;
  const std::size_t k = nearest_index(*this, number, count);
  if (std::abs(number - lattice_value(*this, k)) <= kStepTolerance * step_of(*this)) return std::nullopt;
  return text + " is not its min " + written(min) + " plus a whole number of steps of " +
         written(step_of(*this)) + "; the nearest is " + argument_text(value_at(k));
}

}  // namespace tune
