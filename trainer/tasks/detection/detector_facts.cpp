#include "trainer/tasks/detection/detector_facts.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "trainer/nn/multiply_adds.h"
#include "trainer/tasks/detection/inference.h"
#include "tuner/core/quantile.h"

namespace tune::trainer::detection {
namespace {

constexpr std::size_t kMostImages = 8;  // that take turns
constexpr std::size_t kWarmUp = 2, kFewest = 5, kMost = 100;
constexpr std::chrono::seconds kLongEnough{2};

// Each image as a set of its own, decoded.
std::vector<std::unique_ptr<ImageSet>> single_images(const Dataset& dataset, int size,
                                                     const loop::Compute& compute) {
  std::vector<std::unique_ptr<ImageSet>> images;
  for (std::size_t i = 0; i < std::min(kMostImages, dataset.examples.size()); ++i) {
    Dataset one = dataset;
    one.examples = {dataset.examples[i]};
    one.labelled = false;
    images.push_back(std::make_unique<ImageSet>(std::move(one), size, data::Augmentation{}, /*seed=*/0,
                                                compute, compute.threads));
  }
  return images;
}

}  // namespace

ModelFacts measure_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                            const DetectionLimits& limits) {
  const torch::NoGradGuard no_grad;
  const auto images = single_images(dataset, detector.kind->preprocessing.size, compute);
  const auto detect_in = [&](std::size_t turn) {
    infer(
        detector.model, *images[turn % images.size()], *detector.kind, compute, /*batch_size=*/1,
        [] { return false; }, limits);
    loop::wait_for(compute.device);
  };
  ModelFacts facts;
  for (const torch::Tensor& parameter : detector.model->parameters()) facts.parameters += parameter.numel();
  loop::forget_peak_memory(compute.device);
  facts.multiply_adds = nn::count_multiply_adds([&] { detect_in(0); });
  for (std::size_t turn = 1; turn < kWarmUp; ++turn) detect_in(turn);
  std::vector<double> milliseconds;
  const auto begin = std::chrono::steady_clock::now();
  while (milliseconds.size() < kFewest ||
         (milliseconds.size() < kMost && std::chrono::steady_clock::now() - begin < kLongEnough)) {
    const auto start = std::chrono::steady_clock::now();
    detect_in(milliseconds.size());
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  facts.latency_ms = median(std::move(milliseconds));
  facts.peak_memory_bytes = loop::peak_memory_bytes(compute.device);
  return facts;
}

}  // namespace tune::trainer::detection
