#pragma once
// A ResNet that tells images apart, under torchvision's names.
#include "trainer/nn/image_classifier.h"
#include "trainer/nn/resnet.h"

namespace tune::trainer::nn {

// The maps' means and a linear layer ("fc") on a ResNet's deepest map. Parts of the ResNet are registered
// here by themselves, so that names have no prefix. Stages: the stem and the four layers.
class ResNetClassifier final : public ImageClassifier {
 public:
  ResNetClassifier(std::array<int, 4> blocks, ResNetBlock block, std::int64_t classes, double dropout);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override;

 private:
  double dropout_;
  ResNet body_;
  torch::nn::Linear fc{nullptr};
};

}  // namespace tune::trainer::nn
