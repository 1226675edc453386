#include "trainer/loop/sized.h"

#include <algorithm>
#include <numeric>

namespace tune::trainer::loop {

std::vector<std::int64_t> longest_first(const std::vector<std::int64_t>& lengths, std::int64_t count) {
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  return order;
}

}  // namespace tune::trainer::loop
