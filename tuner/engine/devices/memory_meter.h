#pragma once
// Which process tree holds how much of which GPU's memory.
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tuner/engine/devices/gpu.h"

namespace tune::engine {

// Owned by the pool, on its thread. Sees what NVML shows by process id, and nothing where a container hides
// those.
class MemoryMeter {
 public:
  using ByGpu = std::map<std::string, std::uint64_t>;  // bytes by UUID
  // Of the trees of these processes; a tree of which NVML shows no process is absent.
  std::map<pid_t, ByGpu> held(const std::vector<Gpu>& gpus, const std::vector<pid_t>& roots);

 private:
  // To whose tree a process belongs, 0 for a stranger; asked once a process, since all of /proc is read for
  // it.
  struct Owned {
    std::uint64_t start_time = 0;
    pid_t root = 0;
  };
  std::map<pid_t, Owned> owners_;
};

}  // namespace tune::engine
