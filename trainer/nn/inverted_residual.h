#pragma once
// The block of MobileNetV3 and EfficientNet.
#include "trainer/nn/conv_norm_activation.h"
#include "trainer/nn/squeeze_excitation.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

struct InvertedResidualOptions {
  std::int64_t in = 0, expanded = 0, out = 0, kernel = 3, stride = 1;
  Activation activation = Activation::kRelu;
  std::int64_t squeezed = 0;  // channels within squeeze and excitation; 0: without it
  Activation squeeze_activation = Activation::kRelu;
  Gate gate = Gate::kSigmoid;
  double norm_epsilon = 1e-5, norm_momentum = 0.1;
  // The share of images that a block with a shortcut passes by in training mode (Huang et al., Deep Networks
  // with Stochastic Depth, ECCV 2016); the others count for as much more.
  double skipped = 0;
};

// 1x1 to more channels (left out where they are as many), a convolution of each channel by itself, 1x1 to
// `out`, under torchvision's names; the input is added where shapes agree (Sandler et al., MobileNetV2, CVPR
// 2018).
class InvertedResidualImpl : public torch::nn::Module {
 public:
  explicit InvertedResidualImpl(const InvertedResidualOptions& options);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  bool has_shortcut_;
  double skipped_;
  torch::nn::Sequential block{nullptr};
};
TORCH_MODULE(InvertedResidual);

}  // namespace tune::trainer::nn
