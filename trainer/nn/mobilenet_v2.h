#pragma once
// MobileNetV2 (Sandler et al., CVPR 2018), under torchvision's names.
#include "trainer/nn/image_classifier.h"

namespace tune::trainer::nn {

// Stages: each ends before a convolution of stride 2.
class MobileNetV2 final : public ImageClassifier {
 public:
  MobileNetV2(std::int64_t classes, double dropout);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override { return stages_; }

 private:
  double dropout_;
  torch::nn::Sequential features_{nullptr};
  torch::nn::Linear fc_{nullptr};
  Stages stages_;
};

}  // namespace tune::trainer::nn
