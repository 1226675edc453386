#include "strategies/regression_forest.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/shuffle.h"

namespace tune::strategies {
namespace {

// Fewer rows than twice this are not split: leaves of one row would take noise for structure.
constexpr std::size_t kLeafSize = 2;

double mean_target(const ForestData& data, const std::vector<std::size_t>& rows) {
  double sum = 0;
  for (const std::size_t row : rows) sum += data.targets[row];
  return sum / static_cast<double>(rows.size());
}

}  // namespace

double ForestLeaf::volume() const {
  double product = 1;
  for (const Side& side : sides) product *= side.width;
  return product;
}

// Grows one tree. Lives for the constructor of the tree.
class TreeGrower {
 public:
  TreeGrower(RegressionTree& tree, const ForestData& data, Rng& rng) : tree_(tree), data_(data), rng_(rng) {}

  void grow_from_sample() {
    std::vector<std::size_t> rows(data_.targets.size());
    for (std::size_t& row : rows) row = static_cast<std::size_t>(rng_.below(data_.targets.size()));
    std::sort(rows.begin(), rows.end());
    ForestLeaf whole;
    whole.sides.resize(tree_.dimensions_.size());
    for (std::size_t d = 0; d < whole.sides.size(); ++d)
      whole.sides[d].cells.assign(tree_.dimensions_[d].categories, true);
    grow(std::move(rows), std::move(whole));
  }

 private:
  using Node = RegressionTree::Node;
  struct Split {
    Node node;
    double gain = 0;
  };

  // The depth is at most that of a tree with two rows a leaf, and ties end it: the rows bound the recursion.
  std::size_t grow(std::vector<std::size_t> rows, ForestLeaf box) {
    const std::size_t index = tree_.nodes_.size();
    tree_.nodes_.emplace_back();
    std::optional<Split> split = rows.size() < 2 * kLeafSize ? std::nullopt : best_split(rows);
    if (!split) {
      box.value = mean_target(data_, rows);
      tree_.nodes_[index].leaf = tree_.leaves_.size();
      tree_.leaves_.push_back(std::move(box));
      return index;
    }
    Node& node = split->node;
    const auto middle = std::stable_partition(
        rows.begin(), rows.end(), [&](std::size_t row) { return tree_.goes_left(node, data_.points[row]); });
    ForestLeaf right_box = box;
    cut(node, box.sides[node.dimension], right_box.sides[node.dimension]);
    std::vector<std::size_t> right_rows(middle, rows.end());
    rows.erase(middle, rows.end());
    node.is_leaf = false;
    node.left = grow(std::move(rows), std::move(box));
    node.right = grow(std::move(right_rows), std::move(right_box));
    tree_.nodes_[index] = std::move(node);
    return index;
  }

  // Divides a side between the two children of a node.
  void cut(const Node& node, ForestLeaf::Side& left, ForestLeaf::Side& right) const {
    const std::size_t categories = tree_.dimensions_[node.dimension].categories;
    if (categories == 0) {
      left.high = right.low = node.threshold;
      left.width = left.high - left.low;
      right.width = right.high - right.low;
      return;
    }
    for (std::size_t cell = 0; cell < categories; ++cell) {
      left.cells[cell] = left.cells[cell] && node.left_cells[cell];
      right.cells[cell] = right.cells[cell] && !node.left_cells[cell];
    }
    const auto part = [&](const ForestLeaf::Side& side) {
      return static_cast<double>(std::count(side.cells.begin(), side.cells.end(), true)) /
             static_cast<double>(categories);
    };
    left.width = part(left);
    right.width = part(right);
  }

  std::optional<Split> best_split(const std::vector<std::size_t>& rows) {
    std::vector<std::size_t> order(tree_.dimensions_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(order, rng_);
    const std::size_t tried = std::max<std::size_t>(1, (5 * order.size() + 5) / 6);
    std::optional<Split> best;
    // A dimension on which the rows are all equal is none to choose from: the next one takes its place.
    std::size_t useful = 0;
    for (const std::size_t dimension : order) {
      if (useful == tried) break;
      useful += consider(dimension, rows, best);
    }
    return best;
  }

  // The rows in the order of their coordinates, choices in the order of their categories' means.
  std::vector<std::pair<double, std::size_t>> ordered(std::size_t dimension,
                                                      const std::vector<std::size_t>& rows) const {
    std::vector<std::pair<double, std::size_t>> keyed;
    const std::size_t categories = tree_.dimensions_[dimension].categories;
    std::vector<double> sums(categories), counts(categories);
    for (const std::size_t row : rows) {
      const double coordinate = data_.points[row][dimension];
      if (categories > 0) {
        sums[tree_.cell_of(dimension, coordinate)] += data_.targets[row];
        counts[tree_.cell_of(dimension, coordinate)] += 1;
      }
      keyed.emplace_back(coordinate, row);
    }
    if (categories > 0) {
      std::vector<std::size_t> cells(categories), place(categories);
      std::iota(cells.begin(), cells.end(), std::size_t{0});
      std::stable_sort(cells.begin(), cells.end(), [&](std::size_t a, std::size_t b) {
        return sums[a] / std::max(counts[a], 1.0) < sums[b] / std::max(counts[b], 1.0);
      });
      for (std::size_t i = 0; i < categories; ++i) place[cells[i]] = i;
      for (auto& [key, row] : keyed) key = static_cast<double>(place[tree_.cell_of(dimension, key)]);
    }
    std::sort(keyed.begin(), keyed.end());
    return keyed;
  }

  // Whether the rows differ in the dimension at all. A better split replaces `best`.
  bool consider(std::size_t dimension, const std::vector<std::size_t>& rows, std::optional<Split>& best) {
    const auto keyed = ordered(dimension, rows);
    if (keyed.front().first == keyed.back().first) return false;
    const auto count = static_cast<double>(keyed.size());
    const double mean = mean_target(data_, rows);
    double left_sum = 0;  // of the targets' distances from the mean, which sum to 0
    std::size_t cut_after = 0;
    double best_gain = best ? best->gain : 0;
    for (std::size_t i = 0; i + 1 < keyed.size(); ++i) {
      left_sum += data_.targets[keyed[i].second] - mean;
      if (keyed[i].first == keyed[i + 1].first || i + 1 < kLeafSize || keyed.size() - i - 1 < kLeafSize)
        continue;
      const auto left = static_cast<double>(i + 1);
      const double gain = left_sum * left_sum / left + left_sum * left_sum / (count - left);
      if (gain > best_gain) best_gain = gain, cut_after = i + 1;
    }
    if (cut_after > 0) best = Split{node_for(dimension, keyed, cut_after), best_gain};
    return true;
  }

  Node node_for(std::size_t dimension, const std::vector<std::pair<double, std::size_t>>& keyed,
                std::size_t left) {
    Node node;
    node.dimension = dimension;
    const ForestDimension& kind = tree_.dimensions_[dimension];
    if (kind.categories == 0) {
      const double below = keyed[left - 1].first, above = keyed[left].first;
      const double part = kind.is_continuous ? rng_.uniform() : 0.5;
      node.threshold = below + (1 - part) * (above - below);
      if (node.threshold <= below) node.threshold = above;  // rounding must not leave a side without rows
      return node;
    }
    // Categories without a row here go where most rows go.
    node.left_cells.assign(kind.categories, 2 * left > keyed.size());
    for (std::size_t i = 0; i < keyed.size(); ++i) {
      const std::size_t cell = tree_.cell_of(dimension, data_.points[keyed[i].second][dimension]);
      node.left_cells[cell] = i < left;
    }
    return node;
  }

  RegressionTree& tree_;
  const ForestData& data_;
  Rng& rng_;
};

RegressionTree::RegressionTree(std::vector<ForestDimension> dimensions, const ForestData& data, Rng& rng)
    : dimensions_(std::move(dimensions)) {
  TUNE_CHECK(!data.targets.empty() && data.points.size() == data.targets.size());
  TreeGrower(*this, data, rng).grow_from_sample();
}

std::size_t RegressionTree::cell_of(std::size_t dimension, double coordinate) const {
  const std::size_t categories = dimensions_[dimension].categories;
  return std::min(static_cast<std::size_t>(coordinate * static_cast<double>(categories)), categories - 1);
}

bool RegressionTree::goes_left(const Node& node, const std::vector<double>& point) const {
  if (dimensions_[node.dimension].categories > 0)
    return node.left_cells[cell_of(node.dimension, point[node.dimension])];
  return point[node.dimension] < node.threshold;
}

double RegressionTree::predict(const std::vector<double>& point) const {
  std::size_t index = 0;
  while (!nodes_[index].is_leaf)
    index = goes_left(nodes_[index], point) ? nodes_[index].left : nodes_[index].right;
  return leaves_[nodes_[index].leaf].value;
}

}  // namespace tune::strategies
