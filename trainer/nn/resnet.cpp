#include "trainer/nn/resnet.h"

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

constexpr std::int64_t kBottleneckExpansion = 4;

}  // namespace

BasicBlockImpl::BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride) {
  conv1 = register_module("conv1", convolution(in, out, 3, stride));
  bn1 = register_module("bn1", BatchNorm2d(out));
  conv2 = register_module("conv2", convolution(out, out, 3, 1));
  bn2 = register_module("bn2", BatchNorm2d(out));
  if (stride != 1 || in != out)
    downsample = register_module("downsample",
                                 torch::nn::Sequential(convolution(in, out, 1, stride), BatchNorm2d(out)));
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& input) {
  torch::Tensor x = bn1(conv1(input)).relu_();
  x = bn2(conv2(x));
  x += downsample.is_empty() ? input : downsample->forward(input);
  return x.relu_();
}

BottleneckImpl::BottleneckImpl(std::int64_t in, std::int64_t out, std::int64_t stride) {
  const std::int64_t width = out / kBottleneckExpansion;
  conv1 = register_module("conv1", convolution(in, width, 1, 1));
  bn1 = register_module("bn1", BatchNorm2d(width));
  conv2 = register_module("conv2", convolution(width, width, 3, stride));
  bn2 = register_module("bn2", BatchNorm2d(width));
  conv3 = register_module("conv3", convolution(width, out, 1, 1));
  bn3 = register_module("bn3", BatchNorm2d(out));
  if (stride != 1 || in != out)
    downsample = register_module("downsample",
                                 torch::nn::Sequential(convolution(in, out, 1, stride), BatchNorm2d(out)));
}

torch::Tensor BottleneckImpl::forward(const torch::Tensor& input) {
  torch::Tensor x = bn1(conv1(input)).relu_();
  x = bn2(conv2(x)).relu_();
  x = bn3(conv3(x));
  x += downsample.is_empty() ? input : downsample->forward(input);
  return x.relu_();
}

ResNetImpl::ResNetImpl(std::array<int, 4> blocks, std::int64_t base_channels, ResNetBlock block)
    : block_(block),
      width_(block == ResNetBlock::kBottleneck ? kBottleneckExpansion * base_channels : base_channels) {
  conv1 = register_module("conv1", convolution(3, base_channels, 7, 2));
  bn1 = register_module("bn1", BatchNorm2d(base_channels));
  std::int64_t in = base_channels;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::int64_t out = width_ << i;
    layers_[i] =
        register_module("layer" + std::to_string(i + 1), make_layer(in, out, blocks[i], i == 0 ? 1 : 2));
    in = out;
  }
  initialize_convolutions(*this);
}

torch::nn::Sequential ResNetImpl::make_layer(std::int64_t in, std::int64_t out, int blocks,
                                             std::int64_t stride) {
  torch::nn::Sequential layer;
  for (int block = 0; block < blocks; ++block) {
    const std::int64_t from = block == 0 ? in : out, by = block == 0 ? stride : 1;
    if (block_ == ResNetBlock::kBottleneck)
      layer->push_back(Bottleneck(from, out, by));
    else
      layer->push_back(BasicBlock(from, out, by));
  }
  return layer;
}

std::array<torch::Tensor, 4> ResNetImpl::all_maps(const torch::Tensor& images) {
  torch::Tensor x = bn1(conv1(images)).relu_();
  std::array<torch::Tensor, 4> maps;
  x = torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  for (std::size_t i = 0; i < maps.size(); ++i) maps[i] = x = layers_[i]->forward(x);
  return maps;
}

std::array<torch::Tensor, 3> ResNetImpl::forward(const torch::Tensor& images) {
  std::array<torch::Tensor, 4> maps = all_maps(images);
  return {std::move(maps[1]), std::move(maps[2]), std::move(maps[3])};
}

ResNet make_resnet50() { return ResNet(std::array{3, 4, 6, 3}, 64, ResNetBlock::kBottleneck); }

}  // namespace tune::trainer::nn
