#include "tuner/engine/devices/device_pool.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <tuple>

#include "tuner/core/error.h"
#include "tuner/core/number_text.h"
#include "tuner/engine/devices/cpu.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace {

// A desktop's own programs hold a few hundred MiB of the GPU that draws the screen; a training holds more.
// Where process ids are hidden (containers) memory is the only sign of a stranger.
constexpr std::uint64_t kForeignMemoryMib = 1024;
constexpr Milliseconds kNvmlInterval{500};
// Cores are divided among so many trials a GPU where nobody knows how many it takes.
constexpr int kTrialsForThreads = 4;
// A trial that takes more than was set aside has a tenth more set aside than it takes.
constexpr std::uint64_t kMarginPart = 10;

std::uint64_t foreign_limit_bytes() {
  std::uint64_t mib = kForeignMemoryMib;
  if (const char* text = std::getenv("TUNE_FOREIGN_GPU_MIB"))
    std::from_chars(text, text + std::strlen(text), mib);
  return mib << 20;
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
    : split_(resources.packs_gpus ? GpuSplit::by_memory() : GpuSplit(resources.trials_per_gpu)),
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
  processes_ = resources.processes_per_trial.value_or(std::max(1, gpus_per_trial_));
  if (uses_gpus() && processes_ != gpus_per_trial_)
    throw Error(ExitCode::kEnvironment,
                "processes_per_trial is " + std::to_string(processes_) + ", but a trial has " +
                    gpus_in_words(static_cast<std::size_t>(gpus_per_trial_)) +
                    " here, and one process for each",
                "set resources.gpus_per_trial to the same number, or to 0 for processes on the CPU");
  if (uses_gpus()) {
    check_indices();
    folder_.emplace();
    const auto places = [&](int slots) {
      return count_fitting(std::vector<int>(gpus_.size(), slots), gpus_per_trial_);
    };
    total_ = places(split_.slots);
    limit_ = parallel ? std::min(*parallel, total_) : total_;
    const int at_once = split_.is_by_memory ? std::min(limit_, places(kTrialsForThreads)) : total_;
    gpu_threads_ = std::max(1, static_cast<int>(cores_.size()) / std::max(at_once, 1));
    return;
  }
  limit_ = total_ = parallel.value_or(
      std::min(kDefaultParallelOnCpu, std::max(1, static_cast<int>(cores_.size()) / processes_)));
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
  const GpuClaims claims = folder_->claims(gpu.uuid, split_);
  if (claims.other_split)
    notices.push_back("GPU " + gpu.uuid + " is skipped: another tune runs with trials_per_gpu " +
                      claims.other_split->text() + " on it, this one with " + split_.text());
  // How much the next trial takes is asked when it is known.
  if (claims.is_leased) return split_.is_by_memory && !fits(gpu, claims, 0) ? 0 : claims.free;
  // Nobody leases it: what is on it belongs to none of us.
  if (gpu.processes.empty() && gpu.memory_used <= foreign_limit_bytes()) return claims.free;
  std::string notice =
      "GPU " + gpu.uuid + " (" + gpu.name + ") is skipped: " + gib_text(gpu.memory_used) + " held";
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

// What others may still grow by is not free, whatever the driver says. A GPU to itself is all that a trial
// can get.
bool DevicePool::fits(const Gpu& gpu, const GpuClaims& claims, std::optional<std::uint64_t> memory) const {
  if (claims.other_split) return false;
  if (!claims.is_leased) return true;
  if (!memory || claims.is_whole) return false;
  const auto grown = grown_.find(gpu.uuid);
  const std::uint64_t held = grown == grown_.end() ? 0 : grown->second;
  const std::uint64_t awaited = claims.set_aside - std::min(held, claims.set_aside);
  return gpu.memory_free >= awaited && gpu.memory_free - awaited >= *memory;
}

bool DevicePool::has_room(std::optional<std::uint64_t> memory) {
  if (running_ >= limit_) return false;
  if (!uses_gpus() || !split_.is_by_memory) return true;
  int fitting = 0;
  std::vector<std::string> ignored;
  for (const Gpu& gpu : recent_gpus())
    fitting += free_slots(gpu, ignored) > 0 && fits(gpu, folder_->claims(gpu.uuid, split_), memory);
  return fitting >= gpus_per_trial_;
}

// A slot of one GPU, and whether others have slots of it.
std::optional<Lease> DevicePool::lease(const Gpu& gpu, std::optional<std::uint64_t> memory,
                                       bool& has_company) {
  if (!split_.is_by_memory) {
    has_company = attempts_on_gpu_[gpu.uuid] > 0;
    return folder_->take(gpu.uuid, split_);
  }
  return folder_->take(gpu.uuid, memory, [&](const GpuClaims& claims) {
    has_company = claims.is_leased;
    return fits(gpu, claims, memory);
  });
}

// Process ids of a container are not those that the driver shows: an attempt that is alone holds what was not
// held before it.
std::uint64_t DevicePool::hidden_use(const Gpu& gpu, const DeviceShare& share) const {
  const auto before = share.used_before.find(gpu.uuid);
  const bool hides = std::none_of(gpu.processes.begin(), gpu.processes.end(), is_alive);
  if (before == share.used_before.end() || memory_use(share).had_company || !hides) return 0;
  return gpu.memory_used - std::min(gpu.memory_used, before->second);
}

void DevicePool::keep_peak(DeviceShare& share, std::uint64_t bytes) {
  share.memory.peak = std::max(share.memory.peak.value_or(0), bytes);
  if (!share.set_aside || *share.set_aside >= bytes) return;
  share.set_aside = bytes + bytes / kMarginPart;
  for (const Lease& lease : share.leases) LeaseFolder::set_aside(lease, share.set_aside);
}

void DevicePool::measure(const std::vector<Occupant>& occupants) {
  if (!uses_gpus()) return;
  recent_gpus();
  std::vector<pid_t> roots;
  for (const Occupant& occupant : occupants) roots.push_back(occupant.root);
  const auto held = meter_.held(gpus_, roots);
  grown_.clear();
  for (const Gpu& gpu : gpus_) {
    if (attempts_on_gpu_[gpu.uuid] == 0) continue;
    const GpuClaims claims = folder_->claims(gpu.uuid, split_);
    if (split_.slots - claims.free > attempts_on_gpu_[gpu.uuid]) ++joined_[gpu.uuid];
  }
  for (const Occupant& occupant : occupants) {
    DeviceShare& share = *occupant.share;
    const auto tree = held.find(occupant.root);
    for (const Gpu& gpu : gpus_) {
      if (std::find(share.devices.begin(), share.devices.end(), gpu.uuid) == share.devices.end()) continue;
      std::uint64_t bytes = 0;
      if (tree != held.end()) {
        const auto place = tree->second.find(gpu.uuid);
        bytes = place == tree->second.end() ? 0 : place->second;
      } else {
        bytes = hidden_use(gpu, share);
      }
      if (bytes == 0) continue;
      keep_peak(share, bytes);
      grown_[gpu.uuid] += bytes;
    }
  }
}

MemoryUse DevicePool::memory_use(const DeviceShare& share) const {
  MemoryUse use = share.memory;
  for (const auto& [uuid, before] : share.joined_before) {
    const auto joined = joined_.find(uuid);
    use.had_company = use.had_company || (joined != joined_.end() && joined->second != before);
  }
  return use;
}

std::optional<DeviceShare> DevicePool::take(std::optional<std::uint64_t> memory) {
  if (running_ >= limit_) return std::nullopt;
  DeviceShare share;
  share.processes = processes_;
  if (!uses_gpus()) {
    share.slot = *free_core_slots_.begin();
    free_core_slots_.erase(free_core_slots_.begin());
    share.threads = static_cast<int>(core_shares_[static_cast<std::size_t>(share.slot)].size());
    pin(share);
    ++running_;
    return share;
  }
  std::vector<std::string> notices;
  // What is free by now decides, not what was free half a second ago.
  if (split_.is_by_memory) gpus_read_ = {};
  std::vector<std::tuple<int, std::string, const Gpu*>> order;
  for (const Gpu& gpu : recent_gpus()) order.emplace_back(-free_slots(gpu, notices), gpu.uuid, &gpu);
  std::sort(order.begin(), order.end());  // the emptiest first
  for (const auto& [count, uuid, gpu] : order) {
    if (count == 0 || static_cast<int>(share.leases.size()) == gpus_per_trial_) break;
    bool has_company = false;
    auto slot = lease(*gpu, memory, has_company);
    if (!slot) continue;
    share.leases.push_back(std::move(*slot));
    share.devices.push_back(uuid);
    share.memory.had_company = share.memory.had_company || has_company;
  }
  if (static_cast<int>(share.leases.size()) < gpus_per_trial_) return std::nullopt;
  const bool by_index = visible_devices_ == VisibleDevices::kIndex;
  for (const std::string& uuid : share.devices)
    for (const Gpu& gpu : gpus_)
      if (gpu.uuid == uuid) share.visible.push_back(by_index ? std::to_string(gpu.index.value()) : uuid);
  for (const Gpu& gpu : gpus_)
    if (std::find(share.devices.begin(), share.devices.end(), gpu.uuid) != share.devices.end())
      share.strangers[gpu.uuid] = {gpu.processes.begin(), gpu.processes.end()};
  if (split_.is_by_memory) share.set_aside = memory;
  for (const Gpu& gpu : gpus_)
    if (std::find(share.devices.begin(), share.devices.end(), gpu.uuid) != share.devices.end())
      share.used_before[gpu.uuid] = gpu.memory_used;
  for (const std::string& uuid : share.devices) {
    if (attempts_on_gpu_[uuid]++ > 0) ++joined_[uuid];
    share.joined_before[uuid] = joined_[uuid];
  }
  share.threads = gpu_threads_;
  ++running_;
  return share;
}

void DevicePool::give_back(DeviceShare share) {
  --running_;
  grown_.clear();  // until it is measured anew: what has ended grows no more
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
