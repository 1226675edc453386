#include "trainer/nn/inverted_residual.h"

namespace tune::trainer::nn {
namespace {

torch::Tensor without_some_images(const torch::Tensor& maps, double skipped) {
  const torch::Tensor kept = at::empty({maps.size(0), 1, 1, 1}, maps.options());
  return maps * kept.bernoulli_(1 - skipped).div_(1 - skipped);
}

}  // namespace

InvertedResidualImpl::InvertedResidualImpl(const InvertedResidualOptions& options)
    : has_shortcut_(options.stride == 1 && options.in == options.out), skipped_(options.skipped) {
  const auto convolution = [&](ConvNormOptions one) {
    one.norm_epsilon = options.norm_epsilon;
    one.norm_momentum = options.norm_momentum;
    return ConvNormActivation(one);
  };
  block = register_module("block", torch::nn::Sequential());
  if (options.expanded != options.in)
    block->push_back(
        convolution({.in = options.in, .out = options.expanded, .activation = options.activation}));
  block->push_back(convolution({.in = options.expanded,
                                .out = options.expanded,
                                .kernel = options.kernel,
                                .stride = options.stride,
                                .groups = options.expanded,
                                .activation = options.activation}));
  if (options.squeezed > 0)
    block->push_back(
        SqueezeExcitation(options.expanded, options.squeezed, options.squeeze_activation, options.gate));
  block->push_back(convolution({.in = options.expanded, .out = options.out}));
}

torch::Tensor InvertedResidualImpl::forward(const torch::Tensor& input) {
  torch::Tensor x = block->forward(input);
  if (!has_shortcut_) return x;
  if (skipped_ > 0 && is_training()) x = without_some_images(x, skipped_);
  x += input;
  return x;
}

}  // namespace tune::trainer::nn
