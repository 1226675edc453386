#pragma once
// Work that a device repeats without being told each operation again.
#include <functional>
#include <memory>

#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

// Owned by whoever repeats the work, on one thread.
class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  // Calls `work` once, whose operations are noted and not done. It may read and write memory that stays where
  // it is, and asks no tensor for a number. On the current stream, which is not the device's default one.
  // Throws c10::Error where an operation cannot be noted; the graph is then of no more use.
  virtual void record(const std::function<void()>& work) = 0;
  // Does on the current stream what was noted.
  virtual void replay() = 0;
};

// A CUDA graph; nullptr on the CPU, and where LibTorch's library for CUDA is not as it is known here.
std::unique_ptr<DeviceGraph> device_graph(const torch::Device& device);

}  // namespace tune::trainer::loop
