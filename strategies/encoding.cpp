#include "strategies/encoding.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tune::strategies {
namespace {

constexpr double kOneHot = 1 / std::numbers::sqrt2;

std::vector<double> cell_centres(const Parameter& parameter) {
  std::vector<double> centres;
  const std::size_t count = parameter.cardinality();
  if (count < 2 || (count > Encoding::kMostCells && parameter.type != ParameterType::kCategorical))
    return centres;
  for (std::size_t k = 0; k < count; ++k) centres.push_back(parameter.to_unit(parameter.value_at(k)));
  return centres;
}

}  // namespace

Encoding::Encoding(const SearchSpace& space) : columns_(space.size()), order_(space.dependency_order()) {
  for (std::size_t i = 0; i < space.size(); ++i) {
    const Parameter& parameter = space.parameters()[i];
    Column& column = columns_[i];
    column.cells = cell_centres(parameter);
    // A cell's centre is midway between its edges, and the first edge is 0.
    column.edges.assign(1, 0.0);
    for (const double centre : column.cells) column.edges.push_back(2 * centre - column.edges.back());
    for (const Condition& condition : parameter.when) {
      Requirement requirement{*space.find(condition.parent), {}};
      const Parameter& parent = space.parameters()[requirement.parent];
      for (const Json& value : condition.any_of) {
        if (!parent.objection(value)) requirement.coordinates.push_back(parent.to_unit(value));
      }
      columns_[requirement.parent].is_parent = true;
      column.requires_all.push_back(std::move(requirement));
    }
    const bool conditional = !parameter.when.empty();
    if (parameter.cardinality() == 1) continue;
    if (parameter.type == ParameterType::kCategorical) {
      column.kind = Kind::kCategory;
      add_features(column, static_cast<Eigen::Index>(column.cells.size()) + (conditional ? 1 : 0));
    } else {
      column.kind = conditional ? Kind::kConditionalNumber : Kind::kNumber;
      add_features(column, conditional ? 2 : 1);
    }
  }
}

void Encoding::add_features(Column& column, Eigen::Index count) {
  column.first = features_;
  features_ += count;
  group_of_feature_.insert(group_of_feature_.end(), static_cast<std::size_t>(count), groups_);
  ++groups_;
}

std::size_t Encoding::cell_of(const Column& column, double u) const {
  const auto inner_begin = column.edges.begin() + 1, inner_end = column.edges.end() - 1;
  return static_cast<std::size_t>(std::upper_bound(inner_begin, inner_end, u) - inner_begin);
}

void Encoding::snap(UnitPoint& unit) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    unit[i] = std::clamp(unit[i], 0.0, 1.0);
    if (!columns_[i].cells.empty()) unit[i] = columns_[i].cells[cell_of(columns_[i], unit[i])];
    // Otherwise children of a parameter with a single value would not find it.
    if (columns_[i].kind == Kind::kConstant) unit[i] = 0.5;
  }
}

Activity Encoding::activity(const UnitPoint& unit) const {
  Activity active(columns_.size(), 0);
  for (const std::size_t i : order_) {
    const auto& all = columns_[i].requires_all;
    active[i] = static_cast<char>(std::all_of(all.begin(), all.end(), [&](const Requirement& requirement) {
      const auto& any = requirement.coordinates;
      return active[requirement.parent] &&
             std::find(any.begin(), any.end(), unit[requirement.parent]) != any.end();
    }));
  }
  return active;
}

Eigen::VectorXd Encoding::encode(const UnitPoint& unit, const Activity& active) const {
  Eigen::VectorXd x = Eigen::VectorXd::Zero(features_);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    switch (column.kind) {
      case Kind::kConstant:
        break;
      case Kind::kNumber:
        x[column.first] = unit[i];
        break;
      case Kind::kConditionalNumber:
        if (!active[i]) break;
        x[column.first] = std::sin(unit[i]);
        x[column.first + 1] = std::cos(unit[i]);
        break;
      case Kind::kCategory: {
        const std::size_t cell = active[i] ? cell_of(column, unit[i]) : column.cells.size();
        x[column.first + static_cast<Eigen::Index>(cell)] = kOneHot;
        break;
      }
    }
  }
  return x;
}

bool Encoding::is_smooth(std::size_t parameter) const {
  const Column& column = columns_[parameter];
  return !column.is_parent && (column.kind == Kind::kNumber || column.kind == Kind::kConditionalNumber);
}

Eigen::VectorXd Encoding::pull_back(const UnitPoint& unit, const Activity& active,
                                    const Eigen::VectorXd& gradient) const {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(columns_.size()));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (!active[i] || !is_smooth(i)) continue;
    const auto at = static_cast<Eigen::Index>(i);
    result[at] = column.kind == Kind::kNumber ? gradient[column.first]
                                              : std::cos(unit[i]) * gradient[column.first] -
                                                    std::sin(unit[i]) * gradient[column.first + 1];
  }
  return result;
}

}  // namespace tune::strategies
