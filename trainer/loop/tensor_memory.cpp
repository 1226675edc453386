#include "trainer/loop/tensor_memory.h"

#include <algorithm>
#include <mutex>

#include "tuner/core/error.h"

namespace tune::trainer::loop {

// Any thread: a GPU's backward pass runs on one of its own.
class TensorMemory::Counter final : public c10::MemoryReportingInfoBase {
 public:
  explicit Counter(const torch::Device& device) : device_(device) {}

  void reportMemoryUsage(void* /*ptr*/, std::int64_t bytes, std::size_t /*allocated*/,
                         std::size_t /*reserved*/, c10::Device device) override {
    if (device.type() != device_.type()) return;
    const std::lock_guard lock(mutex_);
    held_ += bytes;
    if (series_ != nullptr && bytes > 0) series_->push_back(held_ - base_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  std::int64_t held() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }
  void write_to(std::vector<std::int64_t>* series, std::int64_t base) {
    const std::lock_guard lock(mutex_);
    series_ = series;
    base_ = base;
  }

 private:
  const torch::Device device_;
  mutable std::mutex mutex_;
  std::int64_t held_ = 0, base_ = 0;
  std::vector<std::int64_t>* series_ = nullptr;
};

TensorMemory::TensorMemory(const torch::Device& device)
    : counter_(std::make_shared<Counter>(device)), listening_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}

TensorMemory::~TensorMemory() = default;

std::int64_t TensorMemory::held() const { return counter_->held(); }

std::vector<std::int64_t> TensorMemory::series(std::int64_t base, const std::function<void()>& work) {
  std::vector<std::int64_t> bytes;
  struct Writing {
    Counter& counter;
    ~Writing() { counter.write_to(nullptr, 0); }
  };
  const Writing writing{*counter_};
  counter_->write_to(&bytes, base);
  work();
  return bytes;
}

namespace {

std::int64_t on_line(std::int64_t at, std::int64_t value, std::int64_t later, std::int64_t later_value,
                     std::int64_t wanted) {
  const double slope = static_cast<double>(later_value - value) / static_cast<double>(later - at);
  return later_value + static_cast<std::int64_t>(slope * static_cast<double>(wanted - later));
}

std::int64_t largest(const std::vector<std::int64_t>& bytes) {
  return bytes.empty() ? 0 : std::max<std::int64_t>(0, *std::max_element(bytes.begin(), bytes.end()));
}

}  // namespace

std::int64_t carried_on(const GrowthAt& smaller, const GrowthAt& larger, std::int64_t examples) {
  TUNE_CHECK(smaller.examples <= larger.examples && larger.examples <= examples);
  const std::int64_t known = largest(larger.bytes);
  if (larger.examples == examples || smaller.examples == larger.examples) return known;
  const auto carried = [&](std::int64_t at_smaller, std::int64_t at_larger) {
    return on_line(smaller.examples, at_smaller, larger.examples, at_larger, examples);
  };
  if (smaller.bytes.size() != larger.bytes.size())
    return std::max(known, carried(largest(smaller.bytes), known));
  std::int64_t most = known;
  for (std::size_t i = 0; i < larger.bytes.size(); ++i)
    most = std::max(most, carried(smaller.bytes[i], larger.bytes[i]));
  return most;
}

}  // namespace tune::trainer::loop
