#pragma once
// What tensors hold of memory, counted while they come and go.
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

// Counts the tensors on a device that the thread which made it and its backward passes make and free, from
// its construction on. LibTorch's allocators tell of each; what libraries below it take for themselves is not
// among that. Owned by its user, on that thread; one at a time, and not beside LibTorch's profiler.
class TensorMemory {
 public:
  explicit TensorMemory(const torch::Device& device);
  ~TensorMemory();
  TensorMemory(const TensorMemory&) = delete;
  TensorMemory& operator=(const TensorMemory&) = delete;

  std::int64_t held() const;  // bytes
  // What is held after each tensor that `work` makes, less `base`: bytes, in their order.
  std::vector<std::int64_t> series(std::int64_t base, const std::function<void()>& work);

 private:
  class Counter;
  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard listening_;
};

// Such series of steps that differ in nothing but the number of their examples.
struct GrowthAt {
  std::int64_t examples = 0;
  std::vector<std::int64_t> bytes;
};
// The most that the same step of `examples` holds. Each tensor's size is a line in the number of examples, so
// where both series have as many entries each entry is carried on for itself: which of them is the largest
// may change on the way. Series that differ in length (a loss that is computed in pieces has more of them)
// are carried on by their largest entries. With `larger` of as many examples as asked for, that is the
// answer.
std::int64_t carried_on(const GrowthAt& smaller, const GrowthAt& larger, std::int64_t examples);

}  // namespace tune::trainer::loop
