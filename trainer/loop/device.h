#pragma once
// Where and how a trial computes.
#include <string>

#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

enum class Precision { kFp32, kBf16 };
std::string precision_name(Precision precision);

struct Compute {
  torch::Device device = torch::kCPU;
  int threads = 1;
  Precision precision = Precision::kFp32;
};

// `asked`, or for 0 as many as this process may run on. Throws Error(kUsage) for a negative number.
int threads_to_use(int asked);

// Sets the threads of LibTorch's operators and picks the device: the first GPU that CUDA_VISIBLE_DEVICES
// leaves where `wants_gpu`. Throws Error(kEnvironment) when a GPU was leased but this LibTorch sees none.
Compute set_up_compute(int threads, bool wants_gpu);

// The most memory that was held since forget_peak_memory(): tensors' on a GPU, on the CPU what the process
// had resident; 0 where that is not known.
std::int64_t peak_memory_bytes(const torch::Device& device);
void forget_peak_memory(const torch::Device& device);

// Blocks until the device has done all that it was given; for measuring.
void wait_for(const torch::Device& device);

}  // namespace tune::trainer::loop
