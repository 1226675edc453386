#pragma once
// Channels that are weighed by what the whole map shows.
#include "trainer/nn/conv_norm_activation.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

enum class Gate { kSigmoid, kHardsigmoid };

// Hu et al., Squeeze-and-Excitation Networks, CVPR 2018: the channels' means pass two 1x1 convolutions, and
// each channel is multiplied by what comes out for it.
class SqueezeExcitationImpl : public torch::nn::Module {
 public:
  SqueezeExcitationImpl(std::int64_t channels, std::int64_t squeezed, Activation activation, Gate gate);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  Activation activation_;
  Gate gate_;
  torch::nn::Conv2d fc1{nullptr}, fc2{nullptr};
};
TORCH_MODULE(SqueezeExcitation);

}  // namespace tune::trainer::nn
