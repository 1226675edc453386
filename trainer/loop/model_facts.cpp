#include "trainer/loop/model_facts.h"

#include <chrono>
#include <cstdlib>
#include <vector>

#include "trainer/nn/multiply_adds.h"
#include "tuner/core/quantile.h"

namespace tune::trainer::loop {
namespace {

constexpr std::size_t kWarmUp = 2, kFewest = 5, kMost = 100;
constexpr std::chrono::seconds kLongEnough{2};

}  // namespace

Compute compute_for(int threads) {
  const char* named = std::getenv("CUDA_VISIBLE_DEVICES");
  return set_up_compute(threads, named != nullptr && *named != '\0' && torch::cuda::is_available());
}

ModelFacts measure_model(const torch::nn::Module& model, const Compute& compute,
                         const std::function<void(std::size_t turn)>& use) {
  const torch::NoGradGuard no_grad;
  const auto use_and_wait = [&](std::size_t turn) {
    use(turn);
    wait_for(compute.device);
  };
  ModelFacts facts;
  for (const torch::Tensor& parameter : model.parameters()) facts.parameters += parameter.numel();
  forget_peak_memory(compute.device);
  facts.multiply_adds = nn::count_multiply_adds([&] { use_and_wait(0); });
  for (std::size_t turn = 1; turn < kWarmUp; ++turn) use_and_wait(turn);
  std::vector<double> milliseconds;
  const auto begin = std::chrono::steady_clock::now();
  while (milliseconds.size() < kFewest ||
         (milliseconds.size() < kMost && std::chrono::steady_clock::now() - begin < kLongEnough)) {
    const auto start = std::chrono::steady_clock::now();
    use_and_wait(milliseconds.size());
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  facts.latency_ms = median(std::move(milliseconds));
  facts.peak_memory_bytes = peak_memory_bytes(compute.device);
  return facts;
}

}  // namespace tune::trainer::loop
