#include "tuner/engine/devices/device_pool.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "tuner/core/error.h"
#include "tuner/engine/devices/cpu.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace {

// A desktop's own programs hold a few hundred MiB of the GPU that draws the screen; a training holds more.
// Where process ids are hidden (containers) memory is the only sign of a stranger.
constexpr std::uint64_t kForeignMemoryMib = 1024;
constexpr Milliseconds kNvmlInterval{500};

std::uint64_t foreign_limit_bytes() {
  std::uint64_t mib = kForeignMemoryMib;
  if (const char* text = std::getenv("TUNE_FOREIGN_GPU_MIB"))
    std::from_chars(text, text + std::strlen(text), mib);
  return mib << 20;
}

std::string gib(std::uint64_t bytes) {
  const std::uint64_t tenths = (bytes * 10 + (1u << 29)) >> 30;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

bool is_alive(std::int64_t pid) {
  const auto info = process_info(static_cast<pid_t>(pid));
  return info && info->state != 'Z';
}

// How many attempts fit when each takes a slot on `each` different GPUs.
int count_fitting(std::vector<int> slots, int each) {
  const auto last = static_cast<std::size_t>(each - 1);
  for (int count = 0;; ++count) {
    std::sort(slots.begin(), slots.end(), std::greater<>());
    if (slots.size() <= last || slots[last] == 0) return count;
    for (std::size_t i = 0; i <= last; ++i) --slots[i];
  }
}

std::string gpus_in_words(std::size_t count) {
  return count == 0 ? "no GPU" : count == 1 ? "1 GPU" : std::to_string(count) + " GPUs";
}

}  // namespace

DevicePool::DevicePool(std::optional<int> parallel, const Resources& resources)
    : trials_per_gpu_(resources.trials_per_gpu),
      visible_devices_(resources.visible_devices),
      cores_(usable_cores()) {
  std::string problem;
  if (resources.gpus_per_trial != 0) nvml_ = Nvml::load(&problem);
  gpus_ = read_gpus();
  gpus_read_ = std::chrono::steady_clock::now();
  gpus_per_trial_ = resources.gpus_per_trial.value_or(gpus_.empty() ? 0 : 1);
  if (gpus_per_trial_ > static_cast<int>(gpus_.size())) {
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    throw Error(ExitCode::kEnvironment,
                "gpus_per_trial is " + std::to_string(gpus_per_trial_) + ", but this machine has " +
                    gpus_in_words(gpus_.size()) + " to use" + (nvml_ ? "" : " (" + problem + ")") +
                    (visible ? ", since CUDA_VISIBLE_DEVICES is \"" + std::string(visible) + "\"" : ""),
                "lower resources.gpus_per_trial, or leave it out: it is 1 where there are GPUs, else 0");
  }
  if (uses_gpus()) {
    check_indices();
    folder_.emplace();
    total_ = count_fitting(std::vector<int>(gpus_.size(), trials_per_gpu_), gpus_per_trial_);
    limit_ = parallel ? std::min(*parallel, total_) : total_;
    gpu_threads_ = std::max(1, static_cast<int>(cores_.size()) / std::max(total_, 1));
    return;
  }
  limit_ = total_ = parallel.value_or(std::min(kDefaultParallelOnCpu, static_cast<int>(cores_.size())));
  core_shares_ = divide_cores(cores_, total_);
  for (int slot = 0; slot < total_; ++slot) free_core_slots_.insert(slot);
  try {
    folder_.emplace();
  } catch (const Error& error) {
    no_leases_ = std::string("trials are not pinned to cores: ") + error.what();
  }
}

// On the CPU cores are divided anew for what starts from now on; cores that a running attempt holds are
// leased, and an attempt that finds too few free ones is not pinned.
void DevicePool::set_parallel(int parallel) {
  limit_ = uses_gpus() ? std::min(parallel, total_) : parallel;
  if (uses_gpus()) return;
  for (int slot = total_; slot < parallel; ++slot) free_core_slots_.insert(slot);
  free_core_slots_.erase(free_core_slots_.lower_bound(parallel), free_core_slots_.end());
  total_ = parallel;
  core_shares_ = divide_cores(cores_, total_);
}

void DevicePool::check_indices() const {
  if (visible_devices_ == VisibleDevices::kUuid) return;
  for (const Gpu& gpu : gpus_)
    if (!gpu.index)
      throw Error(ExitCode::kEnvironment,
                  "resources.visible_devices is \"index\", but the MIG device " + gpu.uuid + " has no index",
                  "leave visible_devices out, or name whole GPUs in CUDA_VISIBLE_DEVICES");
}

std::vector<Gpu> DevicePool::read_gpus() const {
  if (!nvml_) return {};
  return visible_gpus(nvml_->gpus(), std::getenv("CUDA_VISIBLE_DEVICES"));
}

const std::vector<Gpu>& DevicePool::recent_gpus() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now - gpus_read_ < kNvmlInterval) return gpus_;
  gpus_read_ = now;
  gpus_ = read_gpus();
  release_quarantined();
  return gpus_;
}

int DevicePool::free_slots(const Gpu& gpu, std::vector<std::string>& notices) {
  const GpuClaims claims = folder_->claims(gpu.uuid, trials_per_gpu_);
  if (claims.other_split)
    notices.push_back("GPU " + gpu.uuid + " is skipped: another tune runs with trials_per_gpu " +
                      std::to_string(*claims.other_split) + " on it, this one with " +
                      std::to_string(trials_per_gpu_));
  if (claims.is_leased) return claims.free;
  // Nobody leases it: what is on it belongs to none of us.
  if (gpu.processes.empty() && gpu.memory_used <= foreign_limit_bytes()) return claims.free;
  std::string notice =
      "GPU " + gpu.uuid + " (" + gpu.name + ") is skipped: " + gib(gpu.memory_used) + " held";
  if (!gpu.processes.empty()) notice += " by process " + std::to_string(gpu.processes.front());
  notices.push_back(notice + ", and no tune leases it");
  return 0;
}

std::map<std::string, int> DevicePool::free_slots_by_gpu(std::vector<std::string>& notices) {
  std::map<std::string, int> slots;
  for (const Gpu& gpu : recent_gpus()) slots[gpu.uuid] = free_slots(gpu, notices);
  return slots;
}

Capacity DevicePool::capacity() {
  Capacity capacity;
  capacity.total = limit_;
  const int ours = limit_ - running_;
  capacity.free = ours;
  if (uses_gpus()) {
    std::vector<int> slots;
    for (const auto& [uuid, count] : free_slots_by_gpu(capacity.notices)) slots.push_back(count);
    capacity.free = std::min(ours, count_fitting(slots, gpus_per_trial_));
    if (static_cast<int>(slots.size()) < gpus_per_trial_)
      capacity.problem = "the driver shows " + gpus_in_words(slots.size()) + ", and a trial takes " +
                         std::to_string(gpus_per_trial_) + ": `nvidia-smi` says more";
    for (const Quarantined& held : quarantine_)
      capacity.notices.push_back("GPU " + held.lease.gpu() + " is held back: NVML still shows process " +
                                 std::to_string(*held.pids.begin()) + " of an attempt that has ended");
  }
  waits_for_others_ = capacity.free < ours;
  return capacity;
}

std::vector<std::string> DevicePool::lost(const std::vector<std::string>& gpus) const {
  if (gpus.empty() || !nvml_) return {};
  // All GPUs, since the indices of CUDA_VISIBLE_DEVICES mean others once one is gone.
  const std::vector<Gpu> present = nvml_->gpus();
  std::vector<std::string> lost;
  for (const std::string& uuid : gpus)
    if (!uuid.starts_with("MIG-") &&
        std::none_of(present.begin(), present.end(), [&](const Gpu& gpu) { return gpu.uuid == uuid; }))
      lost.push_back(uuid);
  return lost;
}

// Where trials outnumber the cores none is pinned: those that share a core would fare worse than the others.
void DevicePool::pin(DeviceShare& share) {
  if (core_shares_.size() > cores_.size()) return;
  if (!folder_) {
    share.unpinned = no_leases_;
    return;
  }
  std::vector<int> cores = core_shares_[static_cast<std::size_t>(share.slot)];
  std::optional<Lease> lease = folder_->take_cores(cores);
  if (!lease) {
    // Another tune holds some of them: take as many others that are free.
    std::vector<int> free;
    std::vector<Lease> probes;
    for (const int core : cores_)
      if (auto probe = free.size() < cores.size() ? folder_->take_cores({core}) : std::nullopt) {
        free.push_back(core);
        probes.push_back(std::move(*probe));
      }
    probes.clear();
    if (free.size() == cores.size()) lease = folder_->take_cores(cores = free);
  }
  if (!lease) {
    share.unpinned = "trials are not pinned to cores, since other tune processes hold " +
                     std::string(cores_.size() == 1 ? "the only one" : "some of them") +
                     ": all of them share the machine";
    return;
  }
  share.cores = std::move(cores);
  share.leases.push_back(std::move(*lease));
}

std::optional<DeviceShare> DevicePool::take() {
  if (running_ >= limit_) return std::nullopt;
  DeviceShare share;
  if (!uses_gpus()) {
    share.slot = *free_core_slots_.begin();
    free_core_slots_.erase(free_core_slots_.begin());
    share.threads = static_cast<int>(core_shares_[static_cast<std::size_t>(share.slot)].size());
    pin(share);
    ++running_;
    return share;
  }
  std::vector<std::string> notices;
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [uuid, count] : free_slots_by_gpu(notices)) order.emplace_back(-count, uuid);
  std::sort(order.begin(), order.end());  // the emptiest first
  for (const auto& [count, uuid] : order) {
    if (count == 0 || static_cast<int>(share.leases.size()) == gpus_per_trial_) break;
    auto lease = folder_->take(uuid, trials_per_gpu_);
    if (!lease) continue;
    share.leases.push_back(std::move(*lease));
    share.devices.push_back(uuid);
  }
  if (static_cast<int>(share.leases.size()) < gpus_per_trial_) return std::nullopt;
  const bool by_index = visible_devices_ == VisibleDevices::kIndex;
  for (const std::string& uuid : share.devices)
    for (const Gpu& gpu : gpus_)
      if (gpu.uuid == uuid) share.visible.push_back(by_index ? std::to_string(gpu.index.value()) : uuid);
  for (const Gpu& gpu : gpus_)
    if (std::find(share.devices.begin(), share.devices.end(), gpu.uuid) != share.devices.end())
      share.strangers[gpu.uuid] = {gpu.processes.begin(), gpu.processes.end()};
  for (const std::string& uuid : share.devices) ++attempts_on_gpu_[uuid];
  share.threads = gpu_threads_;
  ++running_;
  return share;
}

void DevicePool::give_back(DeviceShare share) {
  --running_;
  if (share.slot >= 0 && share.slot < total_) free_core_slots_.insert(share.slot);
  for (const std::string& uuid : share.devices) --attempts_on_gpu_[uuid];
  if (uses_gpus()) quarantine_if_busy(share);
}

void DevicePool::quarantine_if_busy(DeviceShare& share) {
  gpus_ = read_gpus();
  gpus_read_ = std::chrono::steady_clock::now();
  for (const Gpu& gpu : gpus_) {
    const auto lease = std::find_if(share.leases.begin(), share.leases.end(),
                                    [&](const Lease& candidate) { return candidate.gpu() == gpu.uuid; });
    // While another attempt of ours runs there, its processes cannot be told from those that have ended.
    if (lease == share.leases.end() || attempts_on_gpu_[gpu.uuid] > 0) continue;
    std::set<std::int64_t> stale;
    for (const std::int64_t pid : gpu.processes)
      if (!share.strangers[gpu.uuid].contains(pid) && !is_alive(pid)) stale.insert(pid);
    if (!stale.empty()) quarantine_.push_back({std::move(*lease), std::move(stale)});
  }
}

void DevicePool::release_quarantined() {
  std::erase_if(quarantine_, [this](const Quarantined& held) {
    for (const Gpu& gpu : gpus_)
      if (gpu.uuid == held.lease.gpu())
        return std::none_of(gpu.processes.begin(), gpu.processes.end(),
                            [&](std::int64_t pid) { return held.pids.contains(pid); });
    return false;  // NVML does not answer for it now
  });
}

}  // namespace tune::engine
