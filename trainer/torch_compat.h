#pragma once
// The one header that knows LibTorch versions: it is precompiled, and no other file tests TORCH_VERSION_*.
// LibTorch 2.7 is the oldest that is supported.
#include <ATen/ATen.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/autocast_mode.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <torch/csrc/autograd/profiler_kineto.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#if TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 7)
#error "LibTorch 2.7 or newer is needed"
#endif

namespace tune::trainer::compat {

// "2.13.0" or "2.13.0+cpu": the library that this program was compiled with.
inline std::string libtorch_version() { return TORCH_VERSION; }

// While it lives, matrix and convolution operators of this thread on `device` compute in `dtype`. Restores
// what was before, and drops the cached casts of weights, which a step of the optimizer makes stale.
class Autocast {
 public:
  Autocast(c10::DeviceType device, bool enabled, at::ScalarType dtype)
      : device_(device),
        was_enabled_(at::autocast::is_autocast_enabled(device)),
        old_dtype_(at::autocast::get_autocast_dtype(device)) {
    at::autocast::set_autocast_enabled(device_, enabled);
    if (enabled) at::autocast::set_autocast_dtype(device_, dtype);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_dtype(device_, old_dtype_);
    at::autocast::set_autocast_enabled(device_, was_enabled_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool was_enabled_;
  at::ScalarType old_dtype_;
};

// The most bytes that tensors on an accelerator have held since the program started; nullopt where the
// library does not say (the CPU, and LibTorch before 2.9).
inline std::optional<std::int64_t> peak_device_bytes(const c10::Device& device) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
  if (device.is_cpu()) return std::nullopt;
  const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  return stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
#else
  (void)device;
  return std::nullopt;
#endif
}

// What is free on an accelerator, for every process; nullopt where the library does not say (the CPU, and
// LibTorch before 2.10).
inline std::optional<std::int64_t> free_device_bytes(const c10::Device& device) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 10
  if (device.is_cpu()) return std::nullopt;
  return static_cast<std::int64_t>(
      at::getDeviceAllocator(device.type())->getMemoryInfo(device.index()).first);
#else
  (void)device;
  return std::nullopt;
#endif
}

// Memory that freed tensors left with the library goes back to the device.
inline void give_back_device_memory(const c10::Device& device) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
  if (!device.is_cpu()) at::getDeviceAllocator(device.type())->emptyCache();
#else
  (void)device;
#endif
}

inline void reset_peak_device_bytes(const c10::Device& device) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
  if (!device.is_cpu()) at::getDeviceAllocator(device.type())->resetPeakStats(device.index());
#else
  (void)device;
#endif
}

}  // namespace tune::trainer::compat
