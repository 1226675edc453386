#include "trainer/loop/device.h"

#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tuner/core/error.h"

namespace tune::trainer::loop {

std::string precision_name(Precision precision) { return precision == Precision::kBf16 ? "bf16" : "fp32"; }

Precision precision_of(const std::string& name) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16})
    if (precision_name(precision) == name) return precision;
  throw Error(ExitCode::kBadData, "\"" + name + "\" is no precision that this program trains in",
              "fp32 or bf16; a checkpoint of another version's goes on there");
}

namespace {

// Every step frees and takes the same hundreds of megabytes. Given back to the kernel each time, as glibc
// does with large blocks, they come back as page faults: a ninth of the time of a ResNet-18 step at 224
// pixels.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kNever = -1, kGrowth = 64 << 20;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kNever);
  mallopt(M_TOP_PAD, kGrowth);
#endif
}

}  // namespace

int threads_to_use(int asked) {
  if (asked < 0) throw Error(ExitCode::kUsage, "--threads is negative");
  if (asked > 0) return asked;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof cores, &cores) == 0 ? std::max(1, CPU_COUNT(&cores)) : 1;
}

Compute set_up_compute(int threads, bool wants_gpu, int gpu) {
  Compute compute;
  compute.threads = threads;
  at::set_num_threads(threads);
  if (!wants_gpu) {
    keep_freed_memory();
    return compute;
  }
  if (!torch::cuda::is_available())
    throw Error(ExitCode::kEnvironment,
                "the trial has a GPU, but LibTorch " + compat::libtorch_version() + " sees none",
                "build tune-train with a CUDA build of LibTorch, or search with \"gpus_per_trial\": 0");
  if (static_cast<int>(torch::cuda::device_count()) <= gpu)
    throw Error(ExitCode::kEnvironment,
                "the trial has " + std::to_string(gpu + 1) + " GPUs or more, but LibTorch sees " +
                    std::to_string(torch::cuda::device_count()),
                "see CUDA_VISIBLE_DEVICES, and what `nvidia-smi` shows");
  compute.device = torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(gpu));
  at::accelerator::setDeviceIndex(compute.device.index());
  compute.accelerated = true;
  at::globalContext().setBenchmarkCuDNN(true);  // every batch has the same shape
  return compute;
}

void use_threads(int threads) {
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

void give_back_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// Linux keeps the largest resident size of a process (VmHWM), and writing 5 here forgets it; see proc(5).
void forget_peak_memory(const torch::Device& device) {
  if (!device.is_cpu()) return compat::reset_peak_device_bytes(device);
  give_back_freed_memory();
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::int64_t peak_memory_bytes(const torch::Device& device) {
  if (!device.is_cpu()) return compat::peak_device_bytes(device).value_or(0);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  return 0;
}

std::optional<c10::Stream> new_stream(const torch::Device& device) {
  if (device.is_cpu()) return std::nullopt;
  return c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

void on_own_stream(const torch::Device& device, const std::function<void()>& work) {
  const std::optional<c10::Stream> stream = new_stream(device);
  if (!stream) return work();
  wait_for(device);
  {
    const c10::StreamGuard working(*stream);
    work();
  }
  wait_for(device);
}

void wait_for(const torch::Device& device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

}  // namespace tune::trainer::loop
