#include "trainer/nn/resnet.h"

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

}  // namespace

BasicBlockImpl::BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride) {
  conv1 = register_module("conv1", convolution(in, out, 3, stride));
  bn1 = register_module("bn1", torch::nn::BatchNorm2d(out));
  conv2 = register_module("conv2", convolution(out, out, 3, 1));
  bn2 = register_module("bn2", torch::nn::BatchNorm2d(out));
  if (stride != 1 || in != out)
    downsample = register_module(
        "downsample", torch::nn::Sequential(convolution(in, out, 1, stride), torch::nn::BatchNorm2d(out)));
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& input) {
  torch::Tensor x = bn1(conv1(input)).relu_();
  x = bn2(conv2(x));
  x += downsample.is_empty() ? input : downsample->forward(input);
  return x.relu_();
}

ResNetImpl::ResNetImpl(std::array<int, 4> blocks, std::int64_t base_channels) : base_(base_channels) {
  conv1 = register_module("conv1", convolution(3, base_, 7, 2));
  bn1 = register_module("bn1", torch::nn::BatchNorm2d(base_));
  std::int64_t in = base_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::int64_t out = base_ << i;
    layers_[i] =
        register_module("layer" + std::to_string(i + 1), make_layer(in, out, blocks[i], i == 0 ? 1 : 2));
    in = out;
  }
  initialize_convolutions(*this);
}

torch::nn::Sequential ResNetImpl::make_layer(std::int64_t in, std::int64_t out, int blocks,
                                             std::int64_t stride) {
  torch::nn::Sequential layer;
  layer->push_back(BasicBlock(in, out, stride));
  for (int block = 1; block < blocks; ++block) layer->push_back(BasicBlock(out, out, 1));
  return layer;
}

std::array<torch::Tensor, 3> ResNetImpl::forward(const torch::Tensor& images) {
  torch::Tensor x = bn1(conv1(images)).relu_();
  x = torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  x = layers_[0]->forward(x);
  const torch::Tensor stride8 = layers_[1]->forward(x);
  const torch::Tensor stride16 = layers_[2]->forward(stride8);
  return {stride8, stride16, layers_[3]->forward(stride16)};
}

}  // namespace tune::trainer::nn
