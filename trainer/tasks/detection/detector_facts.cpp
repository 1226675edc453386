#include "trainer/tasks/detection/detector_facts.h"

#include <algorithm>
#include <memory>

#include "trainer/tasks/detection/inference.h"

namespace tune::trainer::detection {
namespace {

// Each image as a set of its own, decoded.
std::vector<std::unique_ptr<ImageSet>> single_images(const Dataset& dataset,
                                                     const data::Preprocessing& preprocessing,
                                                     const loop::Compute& compute) {
  std::vector<std::unique_ptr<ImageSet>> images;
  for (std::size_t i = 0; i < std::min(loop::kMeasuredExamples, dataset.examples.size()); ++i) {
    Dataset one = dataset;
    one.examples = {dataset.examples[i]};
    one.labelled = false;
    images.push_back(std::make_unique<ImageSet>(std::move(one), preprocessing, data::Augmentation{},
                                                /*seed=*/0, compute, compute.threads));
  }
  return images;
}

}  // namespace

ModelFacts measure_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                            const DetectionLimits& limits) {
  const auto images = single_images(dataset, detector.kind->preprocessing, compute);
  return loop::measure_model(detector.model->network(), compute, [&](std::size_t turn) {
    infer(*detector.model, *images[turn % images.size()], *detector.kind, compute, {.limits = limits});
  });
}

}  // namespace tune::trainer::detection
