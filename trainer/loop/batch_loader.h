#pragma once
// The batches of one epoch in their order, prepared ahead.
#include <deque>
#include <future>

#include "trainer/loop/training.h"

namespace tune::trainer::loop {

// A seeded order of 0..examples-1 for an epoch, the same whatever came before.
std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t examples);

// Batches of `size` in the order given. The last, incomplete one is left out, unless it is the only one.
std::vector<std::vector<std::int64_t>> cut_into_batches(const std::vector<std::int64_t>& order,
                                                        std::int64_t size);

// Owned by the training loop for one epoch. `ahead` batches are prepared on threads of their own; with 0 each
// one is prepared when it is asked for, on the caller's thread.
class BatchLoader {
 public:
  // `batches` are the task's for that epoch, and must outlive the loader.
  BatchLoader(const Training& training, const std::vector<std::vector<std::int64_t>>& batches,
              std::int64_t epoch, std::int64_t first_batch, std::size_t ahead);
  std::unique_ptr<Batch> next();

 private:
  std::unique_ptr<Batch> prepared(std::size_t batch) const;

  const Training& training_;
  const std::vector<std::vector<std::int64_t>>& batches_;
  std::int64_t epoch_;
  std::size_t next_, ahead_;
  std::deque<std::future<std::unique_ptr<Batch>>> pending_;
};

}  // namespace tune::trainer::loop
