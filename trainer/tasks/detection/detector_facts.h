#pragma once
// What using a detector takes: its size, its speed at batch 1, its memory.
#include <cstdint>

#include "trainer/loop/device.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/model_folder.h"

namespace tune::trainer::detection {

// Counted and measured.
struct ModelFacts {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  // of one forward pass over one image, counted while it ran
  // Median of the wall time from a decoded image to its detections at batch 1, after a few to warm up.
  double latency_ms = 0;
  // At batch 1: what tensors held on a GPU, else what the process had resident, libraries included.
  std::int64_t peak_memory_bytes = 0;
};

// Takes a few of the images of `dataset`, which has at least one; about two seconds, or longer for five
// images of a model that is slow. The model is on `compute.device`. Before much else is in memory.
ModelFacts measure_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                            const DetectionLimits& limits);

}  // namespace tune::trainer::detection
