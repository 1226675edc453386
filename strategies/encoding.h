#pragma once
// The map from points of a search space to the vectors that the Gaussian process sees.
#include <Eigen/Core>
#include <optional>
#include <vector>

#include "tuner/core/space.h"

namespace tune::strategies {

// One coordinate in [0, 1] a parameter, in the order of the spec; meaningless where the parameter is not
// active.
using UnitPoint = std::vector<double>;
using Activity = std::vector<char>;  // one flag a parameter

// Features are such that squared distances between two points add up, over the parameters, to
//   number:               (u - u')^2;
//   category:             0 if equal, else 1 (Hamming distance: one-hot columns of height sqrt(1/2));
//   conditional number:   the chord 2 - 2 cos(u - u') of an arc of one radian and radius 1, whose centre
//   stands for
//                         "not active" (Swersky et al., "Raiders of the Lost Architecture", 2014);
//   conditional category: "not active" is one more category.
// So two points that both lack a parameter do not differ in it, and one that has it is at distance 1 from one
// that has not; every such distance is Euclidean, hence any kernel on it stays positive definite. All
// features of a parameter share a length scale, its group. Parameters with a single value have no features
// and no group.
//
// Immutable; owned by the strategy.
class Encoding {
 public:
  explicit Encoding(const SearchSpace& space);

  std::size_t dimensions() const { return columns_.size(); }
  Eigen::Index features() const { return features_; }
  Eigen::Index groups() const { return groups_; }
  const std::vector<Eigen::Index>& group_of_feature() const { return group_of_feature_; }
  // Of a parameter; nullopt where it has a single value.
  std::optional<Eigen::Index> first_feature(std::size_t parameter) const {
    const Column& column = columns_[parameter];
    return column.kind == Kind::kConstant ? std::nullopt : std::optional(column.first);
  }

  // Moves the coordinate of a discrete parameter to the centre of its cell.
  void snap(UnitPoint& unit) const;
  // Which parameters are active at a snapped point.
  Activity activity(const UnitPoint& unit) const;
  Eigen::VectorXd encode(const UnitPoint& unit, const Activity& active) const;
  Eigen::VectorXd encode(const UnitPoint& unit) const { return encode(unit, activity(unit)); }

  // Whether gradients may move this coordinate: numbers on which no other parameter depends. Integers are
  // relaxed.
  bool is_smooth(std::size_t parameter) const;
  // The chain rule: from d f / d features to d f / d coordinate for active smooth parameters, 0 for the
  // others.
  Eigen::VectorXd pull_back(const UnitPoint& unit, const Activity& active,
                            const Eigen::VectorXd& gradient) const;
  // Coordinates of the values of a discrete parameter, ascending; empty for a continuous one, a constant one,
  // and one of more than kMostCells values, which is treated as continuous until the space rounds it.
  const std::vector<double>& cells(std::size_t parameter) const { return columns_[parameter].cells; }
  static constexpr std::size_t kMostCells = 4096;

 private:
  enum class Kind { kConstant, kNumber, kConditionalNumber, kCategory };
  struct Requirement {
    std::size_t parent;
    std::vector<double> coordinates;  // any of these
  };
  struct Column {
    Kind kind = Kind::kConstant;
    bool is_parent = false;
    Eigen::Index first = 0;
    std::vector<double> cells, edges;
    std::vector<Requirement> requires_all;
  };
  void add_features(Column& column, Eigen::Index count);
  std::size_t cell_of(const Column& column, double u) const;

  std::vector<Column> columns_;
  std::vector<std::size_t> order_;
  Eigen::Index features_ = 0, groups_ = 0;
  std::vector<Eigen::Index> group_of_feature_;
};

}  // namespace tune::strategies
