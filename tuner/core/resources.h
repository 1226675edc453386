#pragma once
// What a trial gets of the machine.
#include <optional>

namespace tune {

// How CUDA_VISIBLE_DEVICES names a trial's GPUs.
enum class VisibleDevices { kUuid, kIndex };

struct Resources {
  std::optional<int> gpus_per_trial;  // absent: 1 where there are GPUs, else 0
  // That share each batch of a trial; absent: one for each of its GPUs, and one without.
  std::optional<int> processes_per_trial;
  int trials_per_gpu = 1;
  bool packs_gpus = false;  // as many trials a GPU as its memory takes, whatever trials_per_gpu is
  VisibleDevices visible_devices = VisibleDevices::kUuid;
};

}  // namespace tune
