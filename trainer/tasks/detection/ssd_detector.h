#pragma once
// A single-shot detector with its default boxes.
#include "trainer/tasks/detection/detector.h"
#include "trainer/tasks/detection/ssd_model.h"

namespace tune::trainer::detection {

class SsdDetector final : public Detector {
 public:
  SsdDetector(const DetectorModel& kind, int classes);

  void to(const torch::Device& device) override;
  std::unique_ptr<ObjectTensors> object_tensors(std::size_t most_objects,
                                                const loop::Compute& compute) const override;
  DetectorLosses losses(const DetectorInput& input, const weights::TensorMap& tensors,
                        const ObjectTensors& objects, const parallel::Team& team) override;
  bool may_be_repeated() const override { return true; }
  Answer answer(const DetectorInput& input, const DetectionLimits& limits, const loop::Compute& compute,
                const ObjectTensors* objects, const weights::TensorMap& tensors) override;

 private:
  SsdDetector(SsdModel model, const DetectorModel& kind, int classes);
  std::vector<std::vector<ScoredBox>> detections_of(const SsdOutput& output, const DetectionLimits& limits,
                                                    const loop::Compute& compute) const;

  const DetectorModel kind_;
  const int classes_;
  SsdModel model_;
  const std::vector<Box> boxes_;
  torch::Tensor corners_;  // the same, on the network's device
};

}  // namespace tune::trainer::detection
