#pragma once
// The GPUs of this machine, through NVML loaded at run time: the same program runs where there is none.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tune::engine {

struct Gpu {
  std::string uuid;  // "GPU-...", also "MIG-..." (of both forms) where CUDA_VISIBLE_DEVICES names one
  std::string name = {};
  std::uint64_t memory_used = 0, memory_total = 0;  // bytes; 0 where NVML does not tell
  std::vector<std::int64_t> processes = {};         // pids that compute on it, as NVML sees them
  std::optional<int> index = {};                    // in the order of the PCI bus; a MIG device has none
  std::uint64_t memory_free = 0;  // what the driver keeps for itself is neither used nor free
  std::map<std::int64_t, std::uint64_t> held = {};  // bytes of those processes of which NVML tells
};

// The driver's library ($TUNE_NVML_LIBRARY, else libnvidia-ml.so.1). Owned by its user, on one thread at a
// time.
class Nvml {
 public:
  // nullptr where there is none; `problem` then says why.
  static std::unique_ptr<Nvml> load(std::string* problem = nullptr);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  std::string driver_version() const;
  std::vector<Gpu> gpus() const;  // in the order of the PCI bus, with their present use

 private:
  struct Library;
  explicit Nvml(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

// Those of `gpus` that CUDA would show under this CUDA_VISIBLE_DEVICES: indices in the order of the PCI bus,
// UUIDs or beginnings of them; as in CUDA, the first entry that names none ends the list. nullptr (unset)
// shows all, "" none.
std::vector<Gpu> visible_gpus(const std::vector<Gpu>& gpus, const char* cuda_visible_devices);

}  // namespace tune::engine
