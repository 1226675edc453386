#pragma once
// How much memory a device has left, and what of it a process holds.
#include <cstdint>
#include <optional>

#include "trainer/loop/device.h"

namespace tune::trainer::loop {

// forget_peak_memory(), and what was held then.
std::int64_t begin_peak_memory(const torch::Device& device);
// What a process may still take (available_memory_bytes() on the CPU); nullopt where that is not known.
std::optional<std::int64_t> free_memory_bytes(const torch::Device& device);
// What a GPU holds for a process beside its tensors; 0 on the CPU.
std::int64_t device_context_bytes(const torch::Device& device);

}  // namespace tune::trainer::loop
