#include "trainer/loop/batch_loader.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::trainer::loop {

std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t examples) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(examples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Rng rng(seed, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

std::vector<std::vector<std::int64_t>> cut_into_batches(const std::vector<std::int64_t>& order,
                                                        std::int64_t size) {
  const auto examples = static_cast<std::int64_t>(order.size());
  if (examples <= size) return {order};
  std::vector<std::vector<std::int64_t>> batches;
  for (std::int64_t begin = 0; begin + size <= examples; begin += size)
    batches.emplace_back(order.begin() + begin, order.begin() + begin + size);
  return batches;
}

BatchLoader::BatchLoader(const Training& training, const std::vector<std::vector<std::int64_t>>& batches,
                         std::int64_t epoch, std::int64_t first_batch, std::size_t ahead)
    : training_(training),
      batches_(batches),
      epoch_(epoch),
      next_(static_cast<std::size_t>(first_batch)),
      ahead_(ahead) {}

std::unique_ptr<Batch> BatchLoader::prepared(std::size_t batch) const {
  std::unique_ptr<Batch> made = training_.prepare(batches_.at(batch), epoch_);
  TUNE_CHECK(made->weight >= 0 && std::isfinite(made->weight), "a batch has a weight");
  if (made->units == 0) made->units = static_cast<std::int64_t>(batches_[batch].size());
  return made;
}

std::unique_ptr<Batch> BatchLoader::next() {
  if (ahead_ == 0) return prepared(next_++);
  while (pending_.size() < ahead_ + 1 && next_ < batches_.size())
    pending_.push_back(std::async(std::launch::async, [this, batch = next_++] { return prepared(batch); }));
  std::unique_ptr<Batch> batch = pending_.front().get();
  pending_.pop_front();
  return batch;
}

}  // namespace tune::trainer::loop
