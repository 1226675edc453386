#pragma once
// ResNets of basic blocks (He et al., CVPR 2016) as feature extractors, under torchvision's names.
#include <array>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Two 3x3 convolutions and a shortcut, which is projected where the shape changes.
class BasicBlockImpl : public torch::nn::Module {
 public:
  BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr}, bn2{nullptr};
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(BasicBlock);

// Without the classifier. With `base_channels` 64 the names and shapes are those of torchvision's resnet18.
class ResNetImpl : public torch::nn::Module {
 public:
  ResNetImpl(std::array<int, 4> blocks, std::int64_t base_channels);
  // [B, 3, H, W] -> the maps of layer2, layer3 and layer4, at strides 8, 16 and 32.
  std::array<torch::Tensor, 3> forward(const torch::Tensor& images);
  // Channels of the three maps.
  std::array<std::int64_t, 3> channels() const { return {2 * base_, 4 * base_, 8 * base_}; }

 private:
  torch::nn::Sequential make_layer(std::int64_t in, std::int64_t out, int blocks, std::int64_t stride);

  std::int64_t base_;
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  std::array<torch::nn::Sequential, 4> layers_{nullptr, nullptr, nullptr, nullptr};
};
TORCH_MODULE(ResNet);

}  // namespace tune::trainer::nn
