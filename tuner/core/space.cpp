#include "tuner/core/space.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "tuner/core/error.h"

namespace tune {
namespace {

using Indices = std::map<std::string, std::size_t>;

Indices index_by_name(const std::vector<Parameter>& parameters) {
  Indices index;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (!index.emplace(parameters[i].name, i).second)
      throw std::invalid_argument("parameter \"" + parameters[i].name + "\" is there twice");
  return index;
}

void check_parents(const std::vector<Parameter>& parameters, const Indices& index) {
  for (const Parameter& parameter : parameters)
    for (const Condition& condition : parameter.when)
      if (!index.contains(condition.parent))
        throw std::invalid_argument("parameter \"" + parameter.name + "\" depends on \"" + condition.parent +
                                    "\", which is not a parameter");
}

// Parents before children, else in the order of the spec. Quadratic: spaces are small.
std::vector<std::size_t> sort_by_dependency(const std::vector<Parameter>& parameters, const Indices& index) {
  std::vector<std::size_t> order;
  std::vector<bool> placed(parameters.size(), false);
  const auto is_ready = [&](const Parameter& parameter) {
    return std::all_of(parameter.when.begin(), parameter.when.end(),
                       [&](const Condition& condition) { return placed[index.at(condition.parent)]; });
  };
  while (order.size() < parameters.size()) {
    const std::size_t before = order.size();
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (!placed[i] && is_ready(parameters[i])) placed[i] = true, order.push_back(i);
    if (order.size() > before) continue;
    std::string names;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      if (!placed[i]) names += (names.empty() ? "\"" : ", \"") + parameters[i].name + "\"";
    throw std::invalid_argument("the conditions of these parameters form a cycle: " + names);
  }
  return order;
}

bool holds(const Condition& condition, const ParameterSet& set) {
  const auto value = set.find(condition.parent);
  return value != set.end() &&
         std::find(condition.any_of.begin(), condition.any_of.end(), value->second) != condition.any_of.end();
}

// One flag a parameter, parents first, so that an inactive parent makes its children inactive.
std::vector<bool> active_flags(const SearchSpace& space, const Indices& index, const ParameterSet& set) {
  std::vector<bool> active(space.size(), false);
  for (const std::size_t i : space.dependency_order()) {
    const auto& when = space.parameters()[i].when;
    active[i] = std::all_of(when.begin(), when.end(), [&](const Condition& condition) {
      return active[index.at(condition.parent)] && holds(condition, set);
    });
  }
  return active;
}

constexpr std::size_t kUncountable = std::numeric_limits<std::size_t>::max();

std::size_t saturating_multiply(std::size_t a, std::size_t b) {
  return b != 0 && a > kUncountable / b ? kUncountable : a * b;
}
std::size_t saturating_add(std::size_t a, std::size_t b) {
  return a > kUncountable - b ? kUncountable : a + b;
}

// Counts the points of a discrete conditional space by walking the values of the parents; the others only
// multiply.
class PointCounter {
 public:
  explicit PointCounter(const SearchSpace& space) : space_(space) {
    for (const Parameter& parameter : space.parameters())
      for (const Condition& condition : parameter.when) is_parent_[condition.parent] = true;
  }
  // nullopt when the walk would be too long.
  std::optional<std::size_t> count() {
    const std::size_t points = count_from(0);
    if (visits_ > kMostVisits) return std::nullopt;
    return points;
  }

 private:
  static constexpr std::size_t kMostVisits = std::size_t{1} << 20;

  std::size_t count_from(std::size_t position) {
    if (position == space_.size()) return 1;
    if (++visits_ > kMostVisits) return 0;
    const Parameter& parameter = space_.parameters()[space_.dependency_order()[position]];
    const bool active = std::all_of(parameter.when.begin(), parameter.when.end(),
                                    [&](const Condition& condition) { return holds(condition, set_); });
    if (!active) return count_from(position + 1);
    if (!is_parent_.contains(parameter.name))
      return saturating_multiply(parameter.cardinality(), count_from(position + 1));
    std::size_t sum = 0;
    for (std::size_t k = 0; k < parameter.cardinality() && visits_ <= kMostVisits; ++k) {
      set_[parameter.name] = parameter.value_at(k);
      sum = saturating_add(sum, count_from(position + 1));
    }
    set_.erase(parameter.name);
    return sum;
  }

  const SearchSpace& space_;
  std::map<std::string, bool> is_parent_;
  ParameterSet set_;
  std::size_t visits_ = 0;
};

}  // namespace

SearchSpace::SearchSpace(std::vector<Parameter> parameters)
    : parameters_(std::move(parameters)), index_(index_by_name(parameters_)) {
  check_parents(parameters_, index_);
  order_ = sort_by_dependency(parameters_, index_);
}

std::optional<std::size_t> SearchSpace::find(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return std::nullopt;
  return found->second;
}

bool SearchSpace::is_conditional() const {
  return std::any_of(parameters_.begin(), parameters_.end(),
                     [](const Parameter& p) { return !p.when.empty(); });
}

bool SearchSpace::is_active(std::size_t index, const ParameterSet& set) const {
  TUNE_CHECK(index < size());
  return parameters_[index].when.empty() || active_flags(*this, index_, set)[index];
}

ParameterSet SearchSpace::from_unit(std::span<const double> unit) const {
  TUNE_CHECK(unit.size() == size(), "a point has " + std::to_string(unit.size()) + " coordinates");
  ParameterSet set;
  for (const std::size_t i : order_) {
    // Only active parameters are in the set, so the direct parents are all there is to look at.
    const auto& when = parameters_[i].when;
    if (std::all_of(when.begin(), when.end(),
                    [&](const Condition& condition) { return holds(condition, set); }))
      set.emplace(parameters_[i].name, parameters_[i].from_unit(unit[i]));
  }
  return set;
}

std::vector<double> SearchSpace::to_unit(const ParameterSet& set, double inactive) const {
  std::vector<double> unit(size(), inactive);
  const std::vector<bool> active = active_flags(*this, index_, set);
  for (std::size_t i = 0; i < size(); ++i) {
    const auto value = set.find(parameters_[i].name);
    if (active[i] && value != set.end()) unit[i] = parameters_[i].to_unit(value->second);
  }
  return unit;
}

std::optional<std::string> SearchSpace::objection(const ParameterSet& set) const {
  for (const auto& [name, value] : set)
    if (!find(name)) return "\"" + name + "\" is not a parameter";
  const std::vector<bool> active = active_flags(*this, index_, set);
  for (std::size_t i = 0; i < size(); ++i) {
    const Parameter& parameter = parameters_[i];
    const auto value = set.find(parameter.name);
    if (active[i] && value == set.end()) return "\"" + parameter.name + "\" is missing";
    if (!active[i] && value != set.end()) return "\"" + parameter.name + "\" is not active here";
    if (!active[i]) continue;
    if (const auto why = parameter.objection(value->second)) return "\"" + parameter.name + "\": " + *why;
  }
  return std::nullopt;
}

std::size_t SearchSpace::cardinality() const {
  std::size_t product = 1;
  for (const Parameter& parameter : parameters_)
    product = saturating_multiply(product, parameter.cardinality());
  if (product == 0 || !is_conditional()) return product;
  return PointCounter(*this).count().value_or(product);
}

SearchSpace grid_space(const SearchSpace& space) {
  std::vector<Parameter> parameters = space.parameters();
  for (Parameter& parameter : parameters) {
    std::vector<Json> levels = parameter.level_values();
    if (levels.empty()) continue;
    parameter.type = ParameterType::kCategorical;
    parameter.values = std::move(levels);
  }
  return SearchSpace(std::move(parameters));
}

}  // namespace tune
