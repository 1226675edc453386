#include "trainer/loop/epoch_batches.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/shuffle.h"

namespace tune::trainer::loop {

std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t examples) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(examples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Rng rng(seed, static_cast<std::uint64_t>(epoch));
  shuffle(order, rng);
  return order;
}

std::vector<std::vector<std::int64_t>> cut_into_batches(const std::vector<std::int64_t>& order,
                                                        std::int64_t size, LastBatch last) {
  const auto examples = static_cast<std::int64_t>(order.size());
  std::vector<std::vector<std::int64_t>> batches;
  for (std::int64_t begin = 0; begin < examples; begin += size)
    batches.emplace_back(order.begin() + begin, order.begin() + std::min(begin + size, examples));
  const bool is_short = batches.size() > 1 && static_cast<std::int64_t>(batches.back().size()) < size;
  if (is_short && last == LastBatch::kDropped) batches.pop_back();
  return batches;
}

std::vector<std::vector<std::int64_t>> batches_by_length(std::vector<std::int64_t> order,
                                                         const std::vector<std::int64_t>& lengths,
                                                         std::int64_t size, std::uint64_t seed,
                                                         std::int64_t epoch) {
  constexpr std::uint64_t kStream = 0x6c656e;  // apart from that of the order
  constexpr std::int64_t kWindow = 50;         // batches
  const auto examples = static_cast<std::int64_t>(order.size());
  for (std::int64_t begin = 0; begin < examples; begin += kWindow * size)
    std::stable_sort(order.begin() + begin, order.begin() + std::min(begin + kWindow * size, examples),
                     [&](std::int64_t a, std::int64_t b) {
                       return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
                     });
  std::vector<std::vector<std::int64_t>> batches = cut_into_batches(order, size, LastBatch::kKept);
  Rng rng(seed ^ kStream, static_cast<std::uint64_t>(epoch));
  shuffle(batches, rng);
  return batches;
}

}  // namespace tune::trainer::loop
