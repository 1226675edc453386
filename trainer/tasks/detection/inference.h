#pragma once
// A detector's answers to a whole set of images.
#include <functional>
#include <optional>

#include "trainer/loop/device.h"
#include "trainer/metrics/coco_map.h"
#include "trainer/metrics/confusion.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/image_set.h"
#include "trainer/tasks/detection/ssd_model.h"

namespace tune::trainer::detection {

// Of each image of a batch. `boxes` are the model's default boxes and `corners` the same on the device of
// `compute`.
std::vector<std::vector<ScoredBox>> detections_of(const SsdOutput& output, const std::vector<Box>& boxes,
                                                  const torch::Tensor& corners, int classes,
                                                  const loop::Compute& compute,
                                                  const DetectionLimits& limits);

struct Inference {
  std::vector<metrics::DetectedBox> detections;  // in pixels of the original images
  // Means of the batches' losses, which weigh as many as their positives; 0 for unlabelled images.
  double cross_entropy = 0, smooth_l1 = 0;
};

// Runs `model`, which is in eval mode and on the device of `compute`, over every image, which `team` divides.
// nullopt once `interrupted` says so. The caller has chosen the precision and turned gradients off.
std::optional<Inference> infer(SsdModel& model, const ImageSet& images, const DetectorModel& kind,
                               const loop::Compute& compute, std::int64_t batch_size,
                               const std::function<bool()>& interrupted, const DetectionLimits& limits,
                               const parallel::Team& team = *parallel::alone());

// The numbers of detections of infer().
struct Quality {
  metrics::CocoSummary coco;
  metrics::Confusion confusion;
  std::vector<std::int64_t> objects;  // of each class
};
Quality judge(const Dataset& truth, const std::vector<metrics::DetectedBox>& detections);

}  // namespace tune::trainer::detection
