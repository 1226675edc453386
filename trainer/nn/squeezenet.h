#pragma once
// SqueezeNet 1.1 (Iandola et al., arXiv 1602.07360, and the authors' second version), under torchvision's
// names.
#include <vector>

#include "trainer/nn/image_classifier.h"

namespace tune::trainer::nn {

// A 1x1 convolution to few channels, then one of 1x1 and one of 3x3 side by side.
class FireImpl : public torch::nn::Module {
 public:
  FireImpl(std::int64_t in, std::int64_t squeezed, std::int64_t expanded);  // to twice `expanded`
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::Conv2d squeeze{nullptr}, expand1x1{nullptr}, expand3x3{nullptr};
};
TORCH_MODULE(Fire);

// Its head is a 1x1 convolution over the map, ReLU and the means: features() gives the map [B, 512, h, w].
// Stages: between two poolings each.
class SqueezeNet final : public ImageClassifier {
 public:
  SqueezeNet(std::int64_t classes, double dropout);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override;

 private:
  void initialise();

  double dropout_;
  torch::nn::Conv2d stem_{nullptr}, final_{nullptr};
  std::vector<std::vector<Fire>> fires_;  // before each stage's first a pooling
};

}  // namespace tune::trainer::nn
