#pragma once
// Random regression trees over the unit cube, as sets of boxes whose marginal means can be computed exactly.
#include <cstddef>
#include <vector>

#include "tuner/core/rng.h"

namespace tune::strategies {

// One coordinate of the cube. `categories` > 0: an unordered choice, whose k-th value owns the cell
// [k, k + 1) / categories; splits take any subset of the cells.
struct ForestDimension {
  std::size_t categories = 0;
  bool is_continuous = true;  // a threshold may lie anywhere between two points, else halfway
};

// Rows of coordinates in [0, 1), and a finite target each.
struct ForestData {
  std::vector<std::vector<double>> points;
  std::vector<double> targets;
};

// A leaf: the box that it covers, and the mean of the targets in it.
struct ForestLeaf {
  struct Side {
    double low = 0, high = 1;  // of a number
    std::vector<bool> cells;   // of a choice
    double width = 1;          // the part of the dimension that it covers, > 0
  };
  std::vector<Side> sides;  // one a dimension
  double value = 0;
  double volume() const;  // the product of the widths
};

// A regression tree on a bootstrap sample (Breiman et al., "Classification and Regression Trees", 1984;
// random forests, 2001): each split takes the best of a random five sixths of the dimensions by the reduction
// of variance. Categories are ordered by their means, among which the best split of any subset is found
// (Fisher, "On grouping for maximum homogeneity", 1958). Immutable.
class RegressionTree {
 public:
  // At least one row. O(dimensions * n log^2 n) for n rows.
  RegressionTree(std::vector<ForestDimension> dimensions, const ForestData& data, Rng& rng);
  const std::vector<ForestLeaf>& leaves() const { return leaves_; }  // they tile the cube
  double predict(const std::vector<double>& point) const;

 private:
  struct Node {
    bool is_leaf = true;
    std::size_t leaf = 0;
    std::size_t dimension = 0;
    double threshold = 0;          // numbers below it go left
    std::vector<bool> left_cells;  // choices in it go left
    std::size_t left = 0, right = 0;
  };
  std::size_t cell_of(std::size_t dimension, double coordinate) const;
  bool goes_left(const Node& node, const std::vector<double>& point) const;

  friend class TreeGrower;
  std::vector<ForestDimension> dimensions_;
  std::vector<Node> nodes_;  // the root first
  std::vector<ForestLeaf> leaves_;
};

}  // namespace tune::strategies
