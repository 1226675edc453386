#include "tuner/engine/devices/cpu.h"

#include <sched.h>

#include <cstddef>

#include "tuner/core/error.h"

namespace tune::engine {

std::vector<int> usable_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
  if (cores.empty()) cores.push_back(0);
  return cores;
}

std::vector<std::vector<int>> divide_cores(const std::vector<int>& cores, int slots) {
  TUNE_CHECK(!cores.empty() && slots > 0);
  const auto count = static_cast<std::size_t>(slots);
  std::vector<std::vector<int>> shares(count);
  if (count >= cores.size()) {
    for (std::size_t slot = 0; slot < count; ++slot) shares[slot].push_back(cores[slot % cores.size()]);
    return shares;
  }
  // Neighbours stay together, since they share caches and memory.
  for (std::size_t i = 0; i < cores.size(); ++i) shares[i * count / cores.size()].push_back(cores[i]);
  return shares;
}

}  // namespace tune::engine
