#pragma once
// Whether tensors of a file are a detector's own network, or another one's.
#include <cstdint>

#include "trainer/tasks/detection/models.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::detection {

// Counted in the numbers of floating tensors of the model: counters of batches say nothing about a network. A
// tensor fits where name and shape agree.
struct WeightFit {
  std::int64_t fit = 0;           // of all that is in the file
  std::int64_t in_file = 0;       // all of its floating numbers
  std::int64_t base_fit = 0;      // of the network that the detector is built on
  std::int64_t base = 0;          // what that network has
  std::int64_t base_in_file = 0;  // what the file has under its names
  // The part of the larger of the two networks that they share: 0 to 1.
  double share() const;
  // Nine tenths of the base network agree, or nine tenths of what is in the file have their place in the
  // model (a part of a network, such as its first layers). Those who change a network for their data change
  // its first layer or norms, less than a tenth; of the nearest relatives ResNet-50 and 50-D share 0.88,
  // ResNet-101 and 152 0.73, ResNet-50 and 101 0.55, ResNet-18 and 34 0.53.
  bool is_same_network() const;
};

// `own` are the model's tensors; `tensors` go by its names, with or without "backbone.".
WeightFit weight_fit(const weights::TensorMap& own, const weights::TensorMap& tensors,
                     const DetectorModel& model);

}  // namespace tune::trainer::detection
