#pragma once
// Whether tensors of a file are a detector's own network, or another one's.
#include "trainer/tasks/detection/models.h"
#include "trainer/weights/weight_fit.h"

namespace tune::trainer::detection {

// `own` are the model's tensors; `tensors` go by its names, with or without backbone_prefix().
weights::WeightFit weight_fit(const weights::TensorMap& own, const weights::TensorMap& tensors,
                              const DetectorModel& model);

}  // namespace tune::trainer::detection
