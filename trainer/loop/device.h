#pragma once
// Where and how a trial computes.
#include <functional>
#include <optional>
#include <string>

#include "trainer/parallel/team.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

enum class Precision { kFp32, kBf16 };
std::string precision_name(Precision precision);
// Of a name. Throws Error(kBadData) for what is no precision's.
Precision precision_of(const std::string& name);

struct Compute {
  torch::Device device = torch::kCPU;
  int threads = 1;
  Precision precision = Precision::kFp32;
  // The device works beside the CPU: what can be is kept and computed there, and within a step nothing waits
  // for it. So on a GPU; on the CPU only tests ask for it.
  bool accelerated = false;
  // Who shares each batch; never null.
  std::shared_ptr<const parallel::Team> team = parallel::alone();
};

// `asked`, or for 0 as many as this process may run on. Throws Error(kUsage) for a negative number.
int threads_to_use(int asked);

// Sets the threads of LibTorch's operators and picks the device: that GPU of those which CUDA_VISIBLE_DEVICES
// leaves where `wants_gpu`. Throws Error(kEnvironment) when GPUs were leased that this LibTorch does not see.
Compute set_up_compute(int threads, bool wants_gpu, int gpu = 0);

// From now on operators of this thread compute with so many of the CPU's.
void use_threads(int threads);

// On a CPU: what earlier work has freed goes back to the system. What comes is of other sizes, and would not
// fit into the gaps.
void give_back_freed_memory();

// The most memory that was held since forget_peak_memory(): tensors' on a GPU, on the CPU what the process
// had resident; 0 where that is not known.
std::int64_t peak_memory_bytes(const torch::Device& device);
void forget_peak_memory(const torch::Device& device);

// A stream of work of the device's own, apart from its default one; on the CPU there is only one.
std::optional<c10::Stream> new_stream(const torch::Device& device);

// Calls `work` with such a stream as the current one: a device records nothing of its default stream. What
// was begun before is done then, and what `work` began when this returns.
void on_own_stream(const torch::Device& device, const std::function<void()>& work);

// Blocks until the device has done all that it was given; for measuring.
void wait_for(const torch::Device& device);

}  // namespace tune::trainer::loop
