#include "tuner/engine/devices/memory_meter.h"

#include <algorithm>
#include <optional>

#include "tuner/os/process.h"

namespace tune::engine {
namespace {

// The root above a process, 0 where there is none.
pid_t root_above(pid_t pid, const std::vector<pid_t>& roots, const std::map<pid_t, pid_t>& parents) {
  constexpr int kDeepest = 1000;  // the table was read while processes came and went: it may have a circle
  for (int i = 0; i < kDeepest; ++i) {
    if (std::find(roots.begin(), roots.end(), pid) != roots.end()) return pid;
    const auto parent = parents.find(pid);
    if (parent == parents.end()) return 0;
    pid = parent->second;
  }
  return 0;
}

std::map<pid_t, pid_t> all_parents() {
  std::map<pid_t, pid_t> parents;
  for (const ProcessInfo& process : all_processes()) parents[process.pid] = process.parent;
  return parents;
}

}  // namespace

std::map<pid_t, MemoryMeter::ByGpu> MemoryMeter::held(const std::vector<Gpu>& gpus,
                                                      const std::vector<pid_t>& roots) {
  std::map<pid_t, ByGpu> held;
  std::map<pid_t, Owned> seen;
  std::optional<std::map<pid_t, pid_t>> parents;
  for (const Gpu& gpu : gpus)
    for (const auto& [number, bytes] : gpu.held) {
      const auto pid = static_cast<pid_t>(number);
      const auto process = process_info(pid);
      if (!process) continue;
      const auto known = owners_.find(pid);
      Owned owned{process->start_time, 0};
      if (known != owners_.end() && known->second.start_time == process->start_time) {
        owned = known->second;
      } else {
        if (!parents) parents = all_parents();
        owned.root = root_above(pid, roots, *parents);
      }
      seen[pid] = owned;
      if (owned.root != 0) held[owned.root][gpu.uuid] += bytes;
    }
  owners_ = std::move(seen);
  return held;
}

}  // namespace tune::engine
