#pragma once
// Which GPUs or cores each attempt gets.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/resources.h"
#include "tuner/engine/devices/capacity.h"
#include "tuner/engine/devices/gpu.h"
#include "tuner/engine/devices/leases.h"
#include "tuner/engine/devices/memory_meter.h"
#include "tuner/engine/devices/memory_use.h"

namespace tune::engine {

// Trials at once on a CPU, where the spec says nothing and there are as many cores.
inline constexpr int kDefaultParallelOnCpu = 2;

// What one attempt runs on. Given back to the pool when no process of the attempt is left.
struct DeviceShare {
  std::vector<std::string> devices;  // GPU UUIDs; empty on the CPU
  std::vector<std::string> visible;  // the same as CUDA_VISIBLE_DEVICES is to name them: UUIDs or indices
  std::vector<Lease> leases;         // one a GPU, or one for all the cores
  std::vector<int> cores;  // to pin to; empty on GPUs, where data loading takes what is free, and where
                           // other processes hold cores
  int threads = 1;
  int slot = -1;              // on the CPU
  int processes = 1;          // that the trial consists of; one for each of its GPUs
  std::string unpinned = {};  // why there are no cores to pin to, where others are the reason
  std::map<std::string, std::set<std::int64_t>>
      strangers;                                          // by GPU: pids that NVML showed before the attempt
  std::map<std::string, std::uint64_t> used_before = {};  // by GPU: bytes
  std::map<std::string, int> joined_before = {};          // by GPU: how often one of several had begun
  // Where GPUs are divided by memory: bytes of each that are set aside for it; absent: all.
  std::optional<std::uint64_t> set_aside = {};
  MemoryUse memory = {};
};

// An attempt and the process above all others of it.
struct Occupant {
  pid_t root = 0;
  DeviceShare* share = nullptr;
};

// Owned by the runner, on its thread. GPUs and cores are claimed by leases that all tune processes share.
// Nobody waits for cores, since the kernel shares them: an attempt that finds too few free ones is not
// pinned. Starts and ends nothing.
class DevicePool {
 public:
  // Throws Error(kEnvironment) when more GPUs a trial are asked for than there are, or as many processes as
  // it has no GPUs for, or indices of GPUs that have none.
  DevicePool(std::optional<int> parallel, const Resources& resources);

  Capacity capacity();
  void set_parallel(int parallel);
  // Those of the GPUs that NVML does not show any more.
  std::vector<std::string> lost(const std::vector<std::string>& gpus) const;
  // For an attempt that takes so much memory of each of its GPUs at most, where they are divided by memory;
  // nullopt: nobody knows, so it has them to itself.
  std::optional<DeviceShare> take(std::optional<std::uint64_t> memory = std::nullopt);
  // Whether take() would find that now.
  bool has_room(std::optional<std::uint64_t> memory);
  // Looks at what each of them holds, and keeps the most.
  void measure(const std::vector<Occupant>& occupants);
  // What was measured of one, and whether others came beside it since it began.
  MemoryUse memory_use(const DeviceShare& share) const;
  void give_back(DeviceShare share);
  bool uses_gpus() const { return gpus_per_trial_ > 0; }
  // Somebody else, or a GPU that is held back, keeps slots from us: capacity may grow without an event of our
  // own.
  bool waits_for_others() const { return waits_for_others_; }

 private:
  struct Quarantined {
    Lease lease;
    std::set<std::int64_t> pids;
  };
  void check_indices() const;
  bool fits(const Gpu& gpu, const GpuClaims& claims, std::optional<std::uint64_t> memory) const;
  std::optional<Lease> lease(const Gpu& gpu, std::optional<std::uint64_t> memory, bool& has_company);
  std::uint64_t hidden_use(const Gpu& gpu, const DeviceShare& share) const;
  void keep_peak(DeviceShare& share, std::uint64_t bytes);
  void pin(DeviceShare& share);
  std::vector<Gpu> read_gpus() const;
  const std::vector<Gpu>& recent_gpus();
  int free_slots(const Gpu& gpu, std::vector<std::string>& notices);
  std::map<std::string, int> free_slots_by_gpu(std::vector<std::string>& notices);
  void release_quarantined();
  void quarantine_if_busy(DeviceShare& share);

  std::unique_ptr<Nvml> nvml_;
  std::optional<LeaseFolder> folder_;
  int gpus_per_trial_ = 0, processes_ = 1, limit_ = 1, total_ = 1, running_ = 0, gpu_threads_ = 1;
  GpuSplit split_;
  MemoryMeter meter_;
  MemoryMeter::ByGpu grown_;  // what our attempts hold of what they have set aside
  std::map<std::string, int>
      joined_;  // by GPU: how often an attempt began beside others, or was seen beside them
  VisibleDevices visible_devices_;
  std::vector<int> cores_;
  std::vector<std::vector<int>> core_shares_;
  std::string no_leases_;  // why no cores can be leased; empty where they can
  std::set<int> free_core_slots_;
  std::vector<Gpu> gpus_;
  SteadyTime gpus_read_;
  std::map<std::string, int> attempts_on_gpu_;
  std::vector<Quarantined> quarantine_;
  bool waits_for_others_ = false;
};

}  // namespace tune::engine
