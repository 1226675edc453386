#pragma once
// What this machine offers: for `tune doctor`, for lineage and for the runner.
#include <filesystem>
#include <string>
#include <vector>

#include "tuner/engine/devices/gpu.h"

namespace tune::engine {

struct Machine {
  std::string host, boot_id;
  std::vector<int> cores;    // that this process may use
  std::vector<Gpu> gpus;     // that this process may use
  std::string driver;        // NVIDIA's; empty where there is none
  std::string nvml_problem;  // why NVML could not be loaded; empty where it was
  std::filesystem::path lease_folder;
};
Machine inspect_machine();

}  // namespace tune::engine
