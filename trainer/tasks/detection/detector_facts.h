#pragma once
// What using a detector takes.
#include "trainer/loop/model_facts.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/model_folder.h"

namespace tune::trainer::detection {

using loop::ModelFacts;

// Takes a few of the images of `dataset`, which has at least one; see measure_model().
ModelFacts measure_detector(LoadedDetector& detector, const Dataset& dataset, const loop::Compute& compute,
                            const DetectionLimits& limits);

}  // namespace tune::trainer::detection
