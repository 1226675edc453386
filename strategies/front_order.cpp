#include "strategies/front_order.h"

#include <algorithm>

namespace tune::strategies {
namespace {

// The points of one front in units of its range.
std::vector<LossPair> scaled(const std::vector<LossPair>& points, const std::vector<std::size_t>& members) {
  std::vector<LossPair> result;
  result.reserve(members.size());
  for (const std::size_t member : members) result.push_back(points[member]);
  for (std::size_t j = 0; j < 2; ++j) {
    double least = result.front()[j], most = least;
    for (const LossPair& point : result) least = std::min(least, point[j]), most = std::max(most, point[j]);
    // Halves, since the difference of two large numbers may be infinite.
    const double range = most / 2 - least / 2;
    for (LossPair& point : result) point[j] = range > 0 ? (point[j] / 2 - least / 2) / range : 0;
  }
  return result;
}

}  // namespace

std::vector<std::size_t> best_by_fronts(const std::vector<LossPair>& points, std::size_t most) {
  const std::vector<std::size_t> ranks = domination_ranks(points);
  std::vector<std::size_t> best;
  for (std::size_t rank = 0; best.size() < std::min(most, points.size()); ++rank) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < points.size(); ++i)
      if (ranks[i] == rank) members.push_back(i);
    if (best.size() + members.size() <= most) {
      best.insert(best.end(), members.begin(), members.end());
      continue;
    }
    const std::vector<LossPair> losses = scaled(points, members);
    constexpr LossPair kReference{1.1, 1.1};
    std::vector<LossPair> chosen;
    std::vector<char> is_chosen(members.size(), 0);
    while (best.size() < most) {
      std::size_t next = members.size();
      double largest = -1;
      for (std::size_t i = 0; i < members.size(); ++i) {
        if (is_chosen[i]) continue;
        chosen.push_back(losses[i]);
        const double area = hypervolume(chosen, kReference);
        chosen.pop_back();
        if (area > largest) largest = area, next = i;
      }
      is_chosen[next] = 1;
      chosen.push_back(losses[next]);
      best.push_back(members[next]);
    }
  }
  return best;
}

}  // namespace tune::strategies
