#pragma once
// A detector's backbone with a linear layer on top.
#include <array>
#include <functional>

#include "trainer/tasks/detection/models.h"
#include "trainer/torch_compat.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::pretraining {

// What pixels in [0, 1] become before they enter any backbone here: torchvision's normalisation, so that
// training behaves alike whatever range the detector itself wants (see backbone_weights).
inline constexpr std::array<double, 3> kDeviation{0.229, 0.224, 0.225};

class BackboneClassifierImpl : public torch::nn::Module {
 public:
  // Weights are drawn from LibTorch's default generator. The memory layout is channels_last.
  BackboneClassifierImpl(const detection::DetectorModel& model, std::int64_t classes);
  // Normalised images [B, 3, H, W] -> logits [B, classes], of the means of the deepest map.
  torch::Tensor forward(const torch::Tensor& images);

 private:
  std::int64_t build(const detection::PyramidNetwork& network);
  std::int64_t build(const detection::VggNetwork& network);
  std::int64_t build(const detection::ResNet50Network& network);
  std::int64_t build(const detection::TwoStageNetwork& network);

  std::function<torch::Tensor(const torch::Tensor&)> deepest_map_;
  torch::nn::Linear fc_{nullptr};
};
TORCH_MODULE(BackboneClassifier);

// The backbone out of a classifier's tensors, under torchvision's names, with its first convolution changed
// so that it takes what the detector takes (pixels less the same mean, divided by another deviation) and
// gives the same.
weights::TensorMap backbone_weights(const weights::TensorMap& classifier,
                                    const detection::DetectorModel& model);

}  // namespace tune::trainer::pretraining
