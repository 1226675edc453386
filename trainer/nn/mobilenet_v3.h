#pragma once
// MobileNetV3 (Howard et al., ICCV 2019), under torchvision's names.
#include "trainer/nn/image_classifier.h"

namespace tune::trainer::nn {

enum class MobileNetV3Size { kSmall, kLarge };

// The first linear layer of torchvision's classifier is part of the features, its last one is the head.
// Stages: each ends before a convolution of stride 2.
class MobileNetV3 final : public ImageClassifier {
 public:
  MobileNetV3(MobileNetV3Size size, std::int64_t classes, double dropout);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override { return stages_; }

 private:
  double dropout_;
  torch::nn::Sequential features_{nullptr};
  torch::nn::Linear last_{nullptr}, fc_{nullptr};
  Stages stages_;
};

}  // namespace tune::trainer::nn
