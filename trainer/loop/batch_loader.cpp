#include "trainer/loop/batch_loader.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/rng.h"

namespace tune::trainer::loop {

std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t examples) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(examples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Rng rng(seed, static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

std::int64_t batches_per_epoch(std::int64_t examples, std::int64_t batch_size) {
  return std::max<std::int64_t>(1, examples / batch_size);
}

BatchLoader::BatchLoader(const Task& task, std::uint64_t seed, std::int64_t epoch, std::int64_t first_batch,
                         std::size_t ahead)
    : task_(task),
      epoch_(epoch),
      order_(epoch_order(seed, epoch, task.training_examples())),
      batches_(batches_per_epoch(task.training_examples(), task.plan().batch_size)),
      next_(first_batch),
      ahead_(ahead) {}

std::vector<std::int64_t> BatchLoader::examples_of(std::int64_t batch) const {
  const std::int64_t size = task_.plan().batch_size;
  const auto end = std::min(static_cast<std::int64_t>(order_.size()), (batch + 1) * size);
  return {order_.begin() + batch * size, order_.begin() + end};
}

std::unique_ptr<Batch> BatchLoader::next() {
  if (ahead_ == 0) return task_.prepare(examples_of(next_++), epoch_);
  while (pending_.size() < ahead_ + 1 && next_ < batches_)
    pending_.push_back(std::async(
        std::launch::async, [this, batch = next_++] { return task_.prepare(examples_of(batch), epoch_); }));
  std::unique_ptr<Batch> batch = pending_.front().get();
  pending_.pop_front();
  return batch;
}

}  // namespace tune::trainer::loop
