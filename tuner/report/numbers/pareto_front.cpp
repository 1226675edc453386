#include "tuner/report/numbers/pareto_front.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/error.h"

namespace tune::report {

std::vector<std::size_t> pareto_front(const std::vector<double>& costs, const std::vector<double>& values,
                                      Goal goal) {
  TUNE_CHECK(costs.size() == values.size());
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (costs[a] != costs[b]) return costs[a] < costs[b];
    return is_better(values[a], values[b], goal);
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order)
    if (front.empty() || is_better(values[i], values[front.back()], goal)) front.push_back(i);
  return front;
}

}  // namespace tune::report
