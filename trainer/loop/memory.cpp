#include "trainer/loop/memory.h"

#include "tuner/os/memory.h"

namespace tune::trainer::loop {

std::int64_t begin_peak_memory(const torch::Device& device) {
  forget_peak_memory(device);
  return peak_memory_bytes(device);
}

std::optional<std::int64_t> free_memory_bytes(const torch::Device& device) {
  if (!device.is_cpu()) return compat::free_device_bytes(device);
  const auto free = available_memory_bytes();
  return free ? std::optional(static_cast<std::int64_t>(*free)) : std::nullopt;
}

std::int64_t device_context_bytes(const torch::Device& device) {
  // Kernels and libraries of a process on an NVIDIA GPU: 0.5 to 0.8 GB, by what it has called.
  constexpr std::int64_t kContext = 650ll << 20;
  return device.is_cpu() ? 0 : kContext;
}

}  // namespace tune::trainer::loop
