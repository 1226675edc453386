#pragma once
// The batches of one epoch in their order, prepared ahead.
#include <deque>
#include <future>

#include "trainer/loop/task.h"

namespace tune::trainer::loop {

// A seeded order of 0..examples-1 for an epoch, the same whatever came before.
std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t examples);

// Batches in an epoch: the last, incomplete one is left out (its few images would disturb batch
// normalisation, and each epoch leaves out others), unless it is the only one.
std::int64_t batches_per_epoch(std::int64_t examples, std::int64_t batch_size);

// Owned by the training loop for one epoch. `ahead` batches are prepared on threads of their own; with 0 each
// one is prepared when it is asked for, on the caller's thread.
class BatchLoader {
 public:
  BatchLoader(const Task& task, std::uint64_t seed, std::int64_t epoch, std::int64_t first_batch,
              std::size_t ahead);
  std::unique_ptr<Batch> next();

 private:
  std::vector<std::int64_t> examples_of(std::int64_t batch) const;

  const Task& task_;
  std::int64_t epoch_;
  std::vector<std::int64_t> order_;
  std::int64_t batches_, next_;
  std::size_t ahead_;
  std::deque<std::future<std::unique_ptr<Batch>>> pending_;
};

}  // namespace tune::trainer::loop
