#pragma once
// What using a model takes: its size, its speed at batch 1, its memory.
#include <cstdint>
#include <functional>

#include "trainer/loop/device.h"

namespace tune::trainer::loop {

// In fp32 on the first GPU that CUDA_VISIBLE_DEVICES names, where this LibTorch knows GPUs, and without that
// variable on the CPU: the caller that names a GPU holds it, as tune does for the models that it compares.
Compute compute_for(int threads);

// Counted and measured.
struct ModelFacts {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  // of one forward pass over one example, counted while it ran
  // Median of the wall time from an example in memory to the answer at batch 1, after a few to warm up.
  double latency_ms = 0;
  // At batch 1: what tensors held on a GPU, else what the process had resident, libraries included.
  std::int64_t peak_memory_bytes = 0;
};

inline constexpr std::size_t kMeasuredExamples = 8;  // that take turns

// `use` answers one example, the `turn`-th; without gradients. About two seconds, or longer for five examples
// of a model that is slow. The model is on `compute.device`. Before much else is in memory.
ModelFacts measure_model(const torch::nn::Module& model, const Compute& compute,
                         const std::function<void(std::size_t turn)>& use);

}  // namespace tune::trainer::loop
