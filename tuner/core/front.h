#pragma once
// Two objectives at once: what no other result beats in both.
#include <array>
#include <cstddef>
#include <vector>

#include "tuner/core/history.h"

namespace tune {

// What two objectives gave, their signs turned so that smaller is better in both.
using LossPair = std::array<double, 2>;

LossPair loss_pair(const std::vector<double>& values, const Objective& first, const Objective& second);

// Of something that costs, and of which less cost is better.
LossPair cost_and_loss(double cost, double value, Goal goal);

// Whether a is at least as good as b in both, and better in one.
bool dominates(const LossPair& a, const LossPair& b);

// Indices of the points that no other one dominates, ascending by the first loss; of equal points the first.
// O(n log n).
std::vector<std::size_t> front_of(const std::vector<LossPair>& points);

// For each point, the number of the front that it is on when one front after the other is taken away: 0 is
// that of front_of(), with all equal points. O(n log n).
std::vector<std::size_t> domination_ranks(const std::vector<LossPair>& points);

// The area that the points dominate within the reference, a point that is worse than those that count:
// others add nothing. O(n log n).
double hypervolume(const std::vector<LossPair>& points, const LossPair& reference);

// The completed trials that no other one beats in both objectives, the best by the first one first.
// Indices of history.trials. The history has two objectives.
std::vector<std::size_t> front_of(const History& history);

}  // namespace tune
