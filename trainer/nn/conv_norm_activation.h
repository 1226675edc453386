#pragma once
// A convolution, batch normalisation and an activation: what the networks for small machines are made of.
#include "trainer/nn/batch_norm.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

enum class Activation { kNone, kRelu, kRelu6, kHardswish, kSilu };

// In place: `x` is the result too.
torch::Tensor activate_(torch::Tensor x, Activation activation);

struct ConvNormOptions {
  std::int64_t in = 0, out = 0, kernel = 1, stride = 1, groups = 1;
  Activation activation = Activation::kNone;
  double norm_epsilon = 1e-5, norm_momentum = 0.1;
};

// "0" is the convolution, without bias, "1" the normalisation. Padding keeps the size at stride 1.
class ConvNormActivationImpl : public torch::nn::Module {
 public:
  explicit ConvNormActivationImpl(const ConvNormOptions& options);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  Activation activation_;
  torch::nn::Conv2d convolution_{nullptr};
  BatchNorm2d norm_{nullptr};
};
TORCH_MODULE(ConvNormActivation);

}  // namespace tune::trainer::nn
