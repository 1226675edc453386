#pragma once
// ResNets (He et al., CVPR 2016) as feature extractors, under torchvision's names.
#include <array>

#include "trainer/nn/batch_norm.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Two 3x3 convolutions and a shortcut, which is projected where the shape changes.
class BasicBlockImpl : public torch::nn::Module {
 public:
  BasicBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  BatchNorm2d bn1{nullptr}, bn2{nullptr};
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(BasicBlock);

// 1x1 to a quarter of the channels, 3x3, 1x1 back, and a shortcut. The stride is that of the 3x3, as in
// torchvision (the paper has it in the first 1x1).
class BottleneckImpl : public torch::nn::Module {
 public:
  BottleneckImpl(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr};
  BatchNorm2d bn1{nullptr}, bn2{nullptr}, bn3{nullptr};
  torch::nn::Sequential downsample{nullptr};
};
TORCH_MODULE(Bottleneck);

enum class ResNetBlock { kBasic, kBottleneck };

// Without the classifier. With `base_channels` 64 the names and shapes are torchvision's: {2, 2, 2, 2} basic
// blocks make its resnet18, {3, 4, 6, 3} bottlenecks its resnet50.
class ResNetImpl : public torch::nn::Module {
 public:
  ResNetImpl(std::array<int, 4> blocks, std::int64_t base_channels, ResNetBlock block = ResNetBlock::kBasic);
  // [B, 3, H, W] -> the maps of layer2, layer3 and layer4, at strides 8, 16 and 32.
  std::array<torch::Tensor, 3> forward(const torch::Tensor& images);
  // That of layer1 too, at stride 4, before them.
  std::array<torch::Tensor, 4> all_maps(const torch::Tensor& images);
  // Channels of the three maps.
  std::array<std::int64_t, 3> channels() const { return {2 * width_, 4 * width_, 8 * width_}; }

 private:
  torch::nn::Sequential make_layer(std::int64_t in, std::int64_t out, int blocks, std::int64_t stride);

  ResNetBlock block_;
  std::int64_t width_;  // channels that layer1 gives
  torch::nn::Conv2d conv1{nullptr};
  BatchNorm2d bn1{nullptr};
  std::array<torch::nn::Sequential, 4> layers_{nullptr, nullptr, nullptr, nullptr};
};
TORCH_MODULE(ResNet);

// torchvision's resnet50.
ResNet make_resnet50();

}  // namespace tune::trainer::nn
