#pragma once
// EfficientNet-B0 (Tan & Le, ICML 2019), under torchvision's names.
#include <vector>

#include "trainer/nn/conv_norm_activation.h"
#include "trainer/nn/image_classifier.h"
#include "trainer/nn/inverted_residual.h"

namespace tune::trainer::nn {

// The share of images that the last block passes by in training mode, as torchvision has it; earlier blocks
// pass by proportionally fewer.
inline constexpr double kEfficientNetSkipped = 0.2;

// Stages: each ends before a convolution of stride 2.
class EfficientNetB0 final : public ImageClassifier {
 public:
  EfficientNetB0(std::int64_t classes, double dropout, double skipped = kEfficientNetSkipped);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override { return stages_; }

 private:
  double dropout_;
  ConvNormActivation stem_{nullptr}, last_{nullptr};
  std::vector<InvertedResidual> blocks_;
  torch::nn::Linear fc_{nullptr};
  Stages stages_;
};

}  // namespace tune::trainer::nn
