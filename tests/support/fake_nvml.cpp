// A shared library in the place of NVIDIA's libnvidia-ml.so.1. What it shows is read anew at each call from
// the JSON file that TUNE_FAKE_NVML names:
// {"driver":"570.1","gpus":[{"uuid","name","used","total","processes":[pid, ...]}, ...]}.
// A process may be {"pid","used"} in place of its pid: what it holds; else NVML does not tell that.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

constexpr int kSuccess = 0, kInvalidArgument = 2, kInsufficientSize = 7, kDriverNotLoaded = 9;

nlohmann::json machine() {
  const char* file = std::getenv("TUNE_FAKE_NVML");
  std::ifstream in(file ? file : "");
  return nlohmann::json::parse(in, nullptr, false);
}

nlohmann::json gpu_of(void* device) {
  return machine()["gpus"][reinterpret_cast<std::uintptr_t>(device) - 1];
}

int copy(const std::string& text, char* out, unsigned size) {
  if (text.size() + 1 > size) return kInsufficientSize;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return kSuccess;
}

}  // namespace

extern "C" {

struct Memory {
  unsigned long long total, free, used;
};
struct Process {
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};

int nvmlInit_v2() { return machine().is_object() ? kSuccess : kDriverNotLoaded; }
int nvmlShutdown() { return kSuccess; }
const char* nvmlErrorString(int) { return "Driver Not Loaded"; }
int nvmlSystemGetDriverVersion(char* out, unsigned size) {
  return copy(machine().value("driver", "1.0"), out, size);
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(machine()["gpus"].size());
  return kSuccess;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index >= machine()["gpus"].size()) return kInvalidArgument;
  *device = reinterpret_cast<void*>(static_cast<std::uintptr_t>(index) + 1);
  return kSuccess;
}
int nvmlDeviceGetUUID(void* device, char* out, unsigned size) {
  return copy(gpu_of(device)["uuid"], out, size);
}
int nvmlDeviceGetName(void* device, char* out, unsigned size) {
  return copy(gpu_of(device).value("name", "Fake GPU"), out, size);
}
int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
  const nlohmann::json gpu = gpu_of(device);
  memory->used = gpu.value("used", 0ull);
  memory->total = gpu.value("total", 16ull << 30);
  memory->free = memory->total - memory->used;
  return kSuccess;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count, Process* processes) {
  const nlohmann::json list = gpu_of(device).value("processes", nlohmann::json::array());
  const bool fits = list.size() <= *count;
  *count = static_cast<unsigned>(list.size());
  if (!fits) return kInsufficientSize;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const nlohmann::json& one = list[i];
    const bool tells = one.is_object();
    processes[i] = {(tells ? one["pid"] : one).get<unsigned>(),
                    tells ? one["used"].get<unsigned long long>() : ~0ull, 0, 0};
  }
  return kSuccess;
}
}
