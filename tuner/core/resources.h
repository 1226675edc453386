#pragma once
// What a trial gets of the machine.
#include <optional>

namespace tune {

// How CUDA_VISIBLE_DEVICES names a trial's GPUs.
enum class VisibleDevices { kUuid, kIndex };

struct Resources {
  std::optional<int> gpus_per_trial;  // absent: 1 where there are GPUs, else 0
  int trials_per_gpu = 1;
  VisibleDevices visible_devices = VisibleDevices::kUuid;
};

}  // namespace tune
