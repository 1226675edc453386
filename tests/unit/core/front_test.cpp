#include "tuner/core/front.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "support/catch.h"
#include "tuner/core/best_so_far.h"
#include "tuner/core/rng.h"

using namespace tune;

namespace {

std::vector<LossPair> random_points(std::size_t count, std::uint64_t seed) {
  Rng rng(seed, 0);
  std::vector<LossPair> points;
  // Few different values, so that many are equal in one or in both.
  for (std::size_t i = 0; i < count; ++i)
    points.push_back({static_cast<double>(rng.below(12)), static_cast<double>(rng.below(12))});
  return points;
}

bool is_dominated(const std::vector<LossPair>& points, const LossPair& by) {
  for (const LossPair& other : points)
    if (dominates(other, by)) return true;
  return false;
}

// The share of a grid's cells that some point dominates, times the area: exact for whole numbers.
double counted_area(const std::vector<LossPair>& points, int side) {
  double area = 0;
  for (int x = 0; x < side; ++x)
    for (int y = 0; y < side; ++y) {
      bool covered = false;
      for (const LossPair& point : points) covered |= point[0] <= x && point[1] <= y;
      area += covered;
    }
  return area;
}

}  // namespace

TEST_CASE("a front holds each point that nothing dominates, once, and nothing else") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::vector<LossPair> points = random_points(40, seed);
    const std::vector<std::size_t> front = front_of(points);
    for (std::size_t i = 0; i < front.size(); ++i) {
      CHECK_FALSE(is_dominated(points, points[front[i]]));
      if (i > 0) CHECK(points[front[i - 1]][0] < points[front[i]][0]);
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (is_dominated(points, points[i])) continue;
      std::size_t first = 0;
      while (points[first] != points[i]) ++first;
      CHECK(std::find(front.begin(), front.end(), first) != front.end());
    }
  }
}

TEST_CASE("a front of costs and values is cheapest first, each member better than the one before") {
  const auto front = [](Goal goal) {
    const std::vector<double> costs = {3, 1, 2, 2, 5, 1};
    const std::vector<double> values = {0.5, 0.2, 0.1, 0.4, 0.5, 0.2};
    std::vector<LossPair> points;
    for (std::size_t i = 0; i < costs.size(); ++i) points.push_back(cost_and_loss(costs[i], values[i], goal));
    return front_of(points);
  };
  CHECK(front(Goal::kMaximize) == std::vector<std::size_t>{1, 3, 0});
  CHECK(front(Goal::kMinimize) == std::vector<std::size_t>{1, 2});
  CHECK(front_of(std::vector<LossPair>{}).empty());
}

TEST_CASE("ranks of domination are those of peeling one front after the other") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::vector<LossPair> points = random_points(50, seed);
    const std::vector<std::size_t> ranks = domination_ranks(points);
    std::vector<std::size_t> left(points.size());
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
    for (std::size_t rank = 0; !left.empty(); ++rank) {
      std::vector<LossPair> remaining;
      for (const std::size_t i : left) remaining.push_back(points[i]);
      std::vector<std::size_t> next;
      for (const std::size_t i : left) {
        const bool is_on_front = !is_dominated(remaining, points[i]);
        if (is_on_front) CHECK(ranks[i] == rank);
        if (!is_on_front) next.push_back(i);
      }
      left = std::move(next);
    }
  }
}

TEST_CASE("a hypervolume is the area that is dominated within the reference") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::vector<LossPair> points = random_points(8, seed);
    CHECK(hypervolume(points, {10, 10}) == counted_area(points, 10));  // some points lie beyond
  }
  CHECK(hypervolume({}, {1, 1}) == 0);
}

TEST_CASE(
    "the front of a history turns maximized values round and leaves out what has not completed or repeats "
    "another trial") {
  History history{{"accuracy", Goal::kMaximize, Reduce::kBest}, {}};
  history.second = Objective{"seconds", Goal::kMinimize, Reduce::kBest};
  const auto add = [&](TrialState state, std::vector<double> values) {
    auto trial = std::make_shared<TrialView>();
    trial->number = history.next_number();
    trial->state = state;
    trial->values = std::move(values);
    history.trials.push_back(std::move(trial));
  };
  add(TrialState::kCompleted, {0.8, 5});
  add(TrialState::kCompleted, {0.9, 9});
  add(TrialState::kCompleted, {0.7, 6});  // worse than the first in both
  add(TrialState::kStopped, {0.99, 1});
  add(TrialState::kCompleted, {0.8, 5});  // the same as the first
  add(TrialState::kFailed, {});
  const auto repeat = std::make_shared<TrialView>(*history.trials[0]);
  repeat->number = history.next_number();
  repeat->role = SearchRole::kRepeat;
  repeat->values = {0.95, 4};
  history.trials.push_back(repeat);
  CHECK(front_of(history) == std::vector<std::size_t>{1, 0});
}

TEST_CASE("a result is news if it beats the best, or with two objectives if nothing beats it in both") {
  BestSoFar one({"accuracy", Goal::kMaximize, Reduce::kBest});
  CHECK(one.is_improved_by({0.5}));
  one.add({0.5});
  one.add({0.4});
  CHECK(one.best() == 0.5);
  CHECK_FALSE(one.is_improved_by({0.5}));
  CHECK_FALSE(one.is_improved_by({std::numeric_limits<double>::quiet_NaN()}));
  CHECK(one.is_improved_by({0.6}));

  BestSoFar two({"accuracy", Goal::kMaximize, Reduce::kBest}, Objective{"seconds"});
  two.add({0.5, 10});
  CHECK_FALSE(two.is_improved_by({0.5, 10}));
  CHECK_FALSE(two.is_improved_by({0.4, 10}));
  CHECK_FALSE(two.is_improved_by({0.9}));  // half of a result
  CHECK(two.is_improved_by({0.4, 9}));
  two.add({0.4, 9});
  CHECK(two.size() == 2);
  two.add({0.6, 8});
  CHECK(two.size() == 1);
  CHECK(two.best() == 0.6);
}
