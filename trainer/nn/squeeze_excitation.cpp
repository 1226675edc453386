#include "trainer/nn/squeeze_excitation.h"

namespace tune::trainer::nn {

SqueezeExcitationImpl::SqueezeExcitationImpl(std::int64_t channels, std::int64_t squeezed,
                                             Activation activation, Gate gate)
    : activation_(activation), gate_(gate) {
  fc1 = register_module("fc1", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, squeezed, 1)));
  fc2 = register_module("fc2", torch::nn::Conv2d(torch::nn::Conv2dOptions(squeezed, channels, 1)));
}

torch::Tensor SqueezeExcitationImpl::forward(const torch::Tensor& input) {
  const torch::Tensor means = input.mean({2, 3}, /*keepdim=*/true);
  torch::Tensor scale = fc2(activate_(fc1(means), activation_));
  scale = gate_ == Gate::kSigmoid ? scale.sigmoid_() : at::hardsigmoid_(scale);
  return input * scale;
}

}  // namespace tune::trainer::nn
