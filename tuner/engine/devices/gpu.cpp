#include "tuner/engine/devices/gpu.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace tune::engine {
namespace {

// The part of NVML's C interface (nvml.h) that is used here.
constexpr int kSuccess = 0;
constexpr int kInsufficientSize = 7;
using Device = void*;
struct MemoryV1 {
  unsigned long long total, free, used;
};
struct MemoryV2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
struct ProcessV1 {
  unsigned pid;
  unsigned long long used;
};
struct ProcessV2 {  // also of the third version of the call
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};
// What NVML says of a process whose memory it may not tell.
constexpr unsigned long long kNotAvailable = ~0ull;
constexpr unsigned kMemoryV2 = static_cast<unsigned>(sizeof(MemoryV2)) | (2u << 24);

}  // namespace

struct Nvml::Library {
  void* handle = nullptr;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  const char* (*error_text)(int) = nullptr;
  int (*driver)(char*, unsigned) = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*device)(unsigned, Device*) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*memory_v1)(Device, MemoryV1*) = nullptr;
  int (*memory_v2)(Device, MemoryV2*) = nullptr;
  int (*processes_v1)(Device, unsigned*, ProcessV1*) = nullptr;
  int (*processes_v2)(Device, unsigned*, ProcessV2*) = nullptr;
  bool initialised = false;

  ~Library() {
    if (initialised) shutdown();
    if (handle) ::dlclose(handle);
  }

  template <typename Function>
  bool find(Function*& function, std::initializer_list<const char*> names) {
    for (const char* symbol : names)
      if (void* address = ::dlsym(handle, symbol)) {
        function = reinterpret_cast<Function*>(address);
        return true;
      }
    return false;
  }

  bool find_all() {
    find(error_text, {"nvmlErrorString"});
    find(memory_v2, {"nvmlDeviceGetMemoryInfo_v2"});
    find(processes_v2,
         {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
    find(processes_v1, {"nvmlDeviceGetComputeRunningProcesses"});
    return find(init, {"nvmlInit_v2", "nvmlInit"}) && find(shutdown, {"nvmlShutdown"}) &&
           find(driver, {"nvmlSystemGetDriverVersion"}) &&
           find(count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}) &&
           find(device, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}) &&
           find(uuid, {"nvmlDeviceGetUUID"}) && find(name, {"nvmlDeviceGetName"}) &&
           find(memory_v1, {"nvmlDeviceGetMemoryInfo"});
  }

  template <typename Process>
  static void read_processes(int (*call)(Device, unsigned*, Process*), Device which, Gpu& gpu) {
    std::vector<Process> list(64);
    for (int attempt = 0; attempt < 3; ++attempt) {
      auto size = static_cast<unsigned>(list.size());
      const int result = call(which, &size, list.data());
      if (result == kInsufficientSize) {
        list.resize(size + 16);  // more may have started since
        continue;
      }
      if (result != kSuccess) return;
      for (unsigned i = 0; i < size; ++i) {
        gpu.processes.push_back(list[i].pid);
        if (list[i].used != kNotAvailable) gpu.held[list[i].pid] += list[i].used;
      }
      return;
    }
  }

  void read_memory(Device which, Gpu& gpu) const {
    // The first version counts what the driver reserves for itself as used.
    if (MemoryV2 memory{kMemoryV2, 0, 0, 0, 0}; memory_v2 && memory_v2(which, &memory) == kSuccess) {
      gpu.memory_used = memory.used, gpu.memory_total = memory.total, gpu.memory_free = memory.free;
    } else if (MemoryV1 older{}; memory_v1(which, &older) == kSuccess) {
      gpu.memory_used = older.used, gpu.memory_total = older.total, gpu.memory_free = older.free;
    }
  }
};

Nvml::Nvml(std::unique_ptr<Library> library) : library_(std::move(library)) {}
Nvml::~Nvml() = default;

std::unique_ptr<Nvml> Nvml::load(std::string* problem) {
  const char* path = std::getenv("TUNE_NVML_LIBRARY");
  if (!path || !*path) path = "libnvidia-ml.so.1";
  std::string reason;
  auto library = std::make_unique<Library>();
  library->handle = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library->handle) {
    reason = ::dlerror();
  } else if (!library->find_all()) {
    reason = std::string(path) + " lacks functions that are needed";
  } else if (const int result = library->init(); result != kSuccess) {
    reason = std::string("NVML: ") +
             (library->error_text ? library->error_text(result) : "error " + std::to_string(result));
  } else {
    library->initialised = true;
    return std::unique_ptr<Nvml>(new Nvml(std::move(library)));
  }
  if (problem) *problem = reason;
  return nullptr;
}

std::string Nvml::driver_version() const {
  std::array<char, 96> text{};
  return library_->driver(text.data(), static_cast<unsigned>(text.size())) == kSuccess ? text.data() : "";
}

std::vector<Gpu> Nvml::gpus() const {
  std::vector<Gpu> gpus;
  unsigned count = 0;
  if (library_->count(&count) != kSuccess) return gpus;
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    std::array<char, 96> uuid{}, name{};
    // A GPU that has fallen off the bus answers no more; the others go on.
    if (library_->device(i, &device) != kSuccess) continue;
    if (library_->uuid(device, uuid.data(), static_cast<unsigned>(uuid.size())) != kSuccess) continue;
    Gpu gpu;
    gpu.index = static_cast<int>(i);
    gpu.uuid = uuid.data();
    if (library_->name(device, name.data(), static_cast<unsigned>(name.size())) == kSuccess)
      gpu.name = name.data();
    library_->read_memory(device, gpu);
    if (library_->processes_v2)
      Library::read_processes(library_->processes_v2, device, gpu);
    else if (library_->processes_v1)
      Library::read_processes(library_->processes_v1, device, gpu);
    gpus.push_back(std::move(gpu));
  }
  return gpus;
}

std::vector<Gpu> visible_gpus(const std::vector<Gpu>& gpus, const char* cuda_visible_devices) {
  if (!cuda_visible_devices) return gpus;
  std::vector<Gpu> visible;
  std::string_view rest = cuda_visible_devices;
  while (!rest.empty()) {
    std::string_view entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    std::optional<Gpu> found;
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), index);
    if (error == std::errc() && end == entry.data() + entry.size()) {
      if (index < gpus.size()) found = gpus[index];
    } else if (entry.starts_with("MIG-")) {
      found = Gpu{std::string(entry), "MIG device"};
    } else if (entry.starts_with("GPU-")) {
      for (const Gpu& gpu : gpus)
        if (!found && gpu.uuid.starts_with(entry)) found = gpu;
    }
    const bool is_repeated = found && std::any_of(visible.begin(), visible.end(),
                                                  [&](const Gpu& gpu) { return gpu.uuid == found->uuid; });
    if (!found || is_repeated) break;
    visible.push_back(std::move(*found));
  }
  return visible;
}

}  // namespace tune::engine
