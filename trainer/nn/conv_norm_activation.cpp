#include "trainer/nn/conv_norm_activation.h"

namespace tune::trainer::nn {

torch::Tensor activate_(torch::Tensor x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x.relu_();
    case Activation::kRelu6:
      return at::relu6_(x);
    case Activation::kHardswish:
      return at::hardswish_(x);
    case Activation::kSilu:
      return at::silu_(x);
  }
  return x;
}

ConvNormActivationImpl::ConvNormActivationImpl(const ConvNormOptions& options)
    : activation_(options.activation) {
  convolution_ =
      register_module("0", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.in, options.out, options.kernel)
                                                 .stride(options.stride)
                                                 .padding(options.kernel / 2)
                                                 .groups(options.groups)
                                                 .bias(false)));
  norm_ = register_module("1", BatchNorm2d(torch::nn::BatchNorm2dOptions(options.out)
                                               .eps(options.norm_epsilon)
                                               .momentum(options.norm_momentum)));
}

torch::Tensor ConvNormActivationImpl::forward(const torch::Tensor& input) {
  return activate_(norm_(convolution_(input)), activation_);
}

}  // namespace tune::trainer::nn
