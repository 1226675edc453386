#include "tuner/engine/devices/machine.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tuner/engine/devices/cpu.h"
#include "tuner/engine/devices/leases.h"
#include "tuner/os/process.h"

namespace tune::engine {

Machine inspect_machine() {
  Machine machine;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) machine.host = host.data();
  machine.boot_id = boot_id();
  machine.cores = usable_cores();
  if (const auto nvml = Nvml::load(&machine.nvml_problem)) {
    machine.driver = nvml->driver_version();
    machine.gpus = visible_gpus(nvml->gpus(), std::getenv("CUDA_VISIBLE_DEVICES"));
  }
  machine.lease_folder = LeaseFolder::default_path();
  return machine;
}

}  // namespace tune::engine
