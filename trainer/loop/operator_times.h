#pragma once
// Where the time of some work goes, by LibTorch's profiler.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/torch_compat.h"

namespace tune::trainer::loop {

struct OperatorTime {
  std::string name;  // "aten::mm"; of a GPU's kernel, its C++ name
  double seconds = 0;
  std::int64_t calls = 0;
};

// The longest first. On a GPU its kernels and copies; on the CPU LibTorch's operators, each less those that
// it calls. `work` is done before this returns, and takes longer than it does unwatched.
std::vector<OperatorTime> operator_times(const torch::Device& device, const std::function<void()>& work);

}  // namespace tune::trainer::loop
