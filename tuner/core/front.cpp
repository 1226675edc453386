#include "tuner/core/front.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tuner/core/error.h"

namespace tune {
namespace {

std::vector<std::size_t> sorted_indices(const std::vector<LossPair>& points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return points[a] < points[b]; });
  return order;
}

}  // namespace

LossPair loss_pair(const std::vector<double>& values, const Objective& first, const Objective& second) {
  TUNE_CHECK(values.size() == 2);
  return {first.goal == Goal::kMinimize ? values[0] : -values[0],
          second.goal == Goal::kMinimize ? values[1] : -values[1]};
}

LossPair cost_and_loss(double cost, double value, Goal goal) {
  return {cost, goal == Goal::kMinimize ? value : -value};
}

bool dominates(const LossPair& a, const LossPair& b) { return a[0] <= b[0] && a[1] <= b[1] && a != b; }

std::vector<std::size_t> front_of(const std::vector<LossPair>& points) {
  std::vector<std::size_t> front;
  for (const std::size_t i : sorted_indices(points))
    if (front.empty() || points[i][1] < points[front.back()][1]) front.push_back(i);
  return front;
}

std::vector<std::size_t> domination_ranks(const std::vector<LossPair>& points) {
  std::vector<std::size_t> ranks(points.size());
  // Of each front the point with the least second loss so far. These ascend from front to front, and a
  // front's other points come earlier in the order, so they dominate nothing that this one does not.
  std::vector<LossPair> lowest;
  for (const std::size_t i : sorted_indices(points)) {
    const auto front = std::partition_point(lowest.begin(), lowest.end(), [&](const LossPair& low) {
      return low[1] <= points[i][1] && low != points[i];
    });
    ranks[i] = static_cast<std::size_t>(front - lowest.begin());
    if (front == lowest.end())
      lowest.push_back(points[i]);
    else
      *front = points[i];
  }
  return ranks;
}

double hypervolume(const std::vector<LossPair>& points, const LossPair& reference) {
  double area = 0, ceiling = reference[1];
  for (const std::size_t i : front_of(points)) {
    const auto& [first, second] = points[i];
    if (first >= reference[0] || second >= ceiling) continue;
    area += (reference[0] - first) * (ceiling - second);
    ceiling = second;
  }
  return area;
}

std::vector<std::size_t> front_of(const History& history) {
  TUNE_CHECK(history.second.has_value());
  std::vector<std::size_t> completed;
  std::vector<LossPair> points;
  for (std::size_t i = 0; i < history.trials.size(); ++i) {
    const TrialView& trial = *history.trials[i];
    if (trial.role == SearchRole::kRepeat || trial.state != TrialState::kCompleted ||
        trial.values.size() != 2 || !std::isfinite(trial.values[0]) || !std::isfinite(trial.values[1]))
      continue;
    completed.push_back(i);
    points.push_back(loss_pair(trial.values, history.objective, *history.second));
  }
  std::vector<std::size_t> front;
  for (const std::size_t i : front_of(points)) front.push_back(completed[i]);
  return front;
}

}  // namespace tune
