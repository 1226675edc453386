#pragma once
// A detector's answers to a whole set of images.
#include <functional>
#include <optional>

#include "trainer/loop/device.h"
#include "trainer/metrics/coco_map.h"
#include "trainer/metrics/confusion.h"
#include "trainer/tasks/detection/detector.h"
#include "trainer/tasks/detection/image_set.h"

namespace tune::trainer::detection {

struct Inference {
  std::vector<metrics::DetectedBox> detections;  // in pixels of the original images
  // Means of the batches' losses, where they were asked for of labelled images; else 0.
  double cross_entropy = 0, smooth_l1 = 0;
};

// Images at once, where nobody is waiting for one of them.
std::int64_t inference_batch(const DetectorModel& kind, const loop::Compute& compute);

struct InferenceOptions {
  std::int64_t batch_size = 1;
  DetectionLimits limits;
  bool losses = false;
  std::function<bool()> interrupted = [] { return false; };
  std::shared_ptr<const parallel::Team> team = parallel::alone();  // that divides the images
};

// Runs `detector`, which is in eval mode and on the device of `compute`, over every image. nullopt once
// interrupted. The caller has chosen the precision and turned gradients off.
std::optional<Inference> infer(Detector& detector, const ImageSet& images, const DetectorModel& kind,
                               const loop::Compute& compute, const InferenceOptions& options);

// The numbers of detections of infer().
struct Quality {
  metrics::CocoSummary coco;
  metrics::Confusion confusion;
  std::vector<std::int64_t> objects;  // of each class
};
Quality judge(const Dataset& truth, const std::vector<metrics::DetectedBox>& detections);

}  // namespace tune::trainer::detection
