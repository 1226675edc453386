#include "trainer/loop/device.h"

#include "tuner/core/error.h"

namespace tune::trainer::loop {

std::string precision_name(Precision precision) { return precision == Precision::kBf16 ? "bf16" : "fp32"; }

Compute set_up_compute(int threads, bool wants_gpu) {
  Compute compute;
  compute.threads = threads;
  at::set_num_threads(threads);
  if (!wants_gpu) return compute;
  if (!torch::cuda::is_available())
    throw Error(ExitCode::kEnvironment,
                "the trial has a GPU, but LibTorch " + compat::libtorch_version() + " sees none",
                "build tune-train with a CUDA build of LibTorch, or search with \"gpus_per_trial\": 0");
  compute.device = torch::Device(torch::kCUDA, 0);
  at::globalContext().setBenchmarkCuDNN(true);  // every batch has the same shape
  return compute;
}

void wait_for(const torch::Device& device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

}  // namespace tune::trainer::loop
