#pragma once
// What each default box is to learn from the objects of its image.
#include <vector>

#include "trainer/tasks/detection/detector.h"
#include "trainer/tasks/detection/ssd_loss.h"

namespace tune::trainer::detection {

// Crowd regions are no objects to learn. On the CPU, [B, N].
Targets make_targets(const std::vector<std::vector<GroundTruth>>& objects, int size,
                     const std::vector<Box>& boxes, Matching matching = Matching::kBipartite);

// Matches the objects of batches with a model's default boxes: on an accelerator within the step, by
// match_batch(), else while batches are prepared. Read-only once made, from any thread.
class TargetMaker final : public ObjectTensors {
 public:
  // No image of a batch has more than `most_objects`; with very many, an accelerator would take longer.
  TargetMaker(const DetectorModel& kind, std::size_t most_objects, const loop::Compute& compute);

  void add(const std::vector<std::vector<GroundTruth>>& objects, weights::TensorMap& tensors) const override;
  // Of those tensors on the device.
  Targets targets(const weights::TensorMap& tensors) const;

 private:
  int size_;
  Matching matching_;
  std::vector<Box> boxes_;
  std::int64_t most_objects_;
  bool on_device_, may_ask_;
  torch::Tensor device_boxes_;  // float [N, 4]
};

}  // namespace tune::trainer::detection
