#include "trainer/tasks/detection/ssd_detector.h"

#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/batched_detections.h"
#include "trainer/tasks/detection/target_maker.h"

namespace tune::trainer::detection {
namespace {

SsdLoss loss_of(const SsdOutput& output, const Targets& targets, const DetectorModel& kind,
                const parallel::Team& team) {
  return ssd_loss(output.logits, output.offsets, targets, kind.rules.divisor, team);
}

}  // namespace

SsdDetector::SsdDetector(const DetectorModel& kind, int classes)
    : SsdDetector(SsdModel(kind, classes), kind, classes) {}

SsdDetector::SsdDetector(SsdModel model, const DetectorModel& kind, int classes)
    : Detector(model.ptr()),
      kind_(kind),
      classes_(classes),
      model_(std::move(model)),
      boxes_(default_boxes(kind.maps)),
      corners_(boxes_tensor(boxes_)) {}

void SsdDetector::to(const torch::Device& device) {
  Detector::to(device);
  corners_ = corners_.to(device);
}

std::unique_ptr<ObjectTensors> SsdDetector::object_tensors(std::size_t most_objects,
                                                           const loop::Compute& compute) const {
  return std::make_unique<TargetMaker>(kind_, most_objects, compute);
}

DetectorLosses SsdDetector::losses(const DetectorInput& input, const weights::TensorMap& tensors,
                                   const ObjectTensors& objects, const parallel::Team& team) {
  const SsdOutput output = model_(input.images);
  const SsdLoss loss =
      loss_of(output, dynamic_cast<const TargetMaker&>(objects).targets(tensors), kind_, team);
  return {loss.cross_entropy, loss.smooth_l1};
}

Detector::Answer SsdDetector::answer(const DetectorInput& input, const DetectionLimits& limits,
                                     const loop::Compute& compute, const ObjectTensors* objects,
                                     const weights::TensorMap& tensors) {
  const SsdOutput output = model_(input.images);
  Answer answer;
  if (objects != nullptr) {
    const Targets targets = dynamic_cast<const TargetMaker&>(*objects).targets(tensors);
    const SsdLoss loss = loss_of(output, targets, kind_, *parallel::alone());
    answer.losses = {loss.cross_entropy, loss.smooth_l1};
    answer.weight = (targets.categories > 0).sum().item<double>();
  }
  answer.found = detections_of(output, limits, compute);
  return answer;
}

std::vector<std::vector<ScoredBox>> SsdDetector::detections_of(const SsdOutput& output,
                                                               const DetectionLimits& limits,
                                                               const loop::Compute& compute) const {
  const torch::Tensor scores = torch::softmax(output.logits.to(torch::kFloat), -1),
                      offsets = output.offsets.to(torch::kFloat);
  if (compute.accelerated) return detect_batch(scores, offsets, corners_, limits);
  const torch::Tensor plain_scores = scores.cpu().contiguous(), plain_offsets = offsets.cpu().contiguous();
  std::vector<std::vector<ScoredBox>> found;
  for (std::int64_t image = 0; image < scores.size(0); ++image)
    found.push_back(detect(plain_scores[image].data_ptr<float>(), plain_offsets[image].data_ptr<float>(),
                           boxes_, classes_, limits));
  return found;
}

}  // namespace tune::trainer::detection
