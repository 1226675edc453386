#include "trainer/nn/fusion_network.h"

namespace tune::trainer::nn {
namespace {

void add_norm_relu(torch::nn::Sequential& layers, std::int64_t channels) {
  layers->push_back(BatchNorm2d(channels));
  layers->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(true)));
}

void add_convolution(torch::nn::Sequential& layers, const torch::nn::Conv2dOptions& options) {
  torch::nn::Conv2d convolution(options);
  torch::nn::init::xavier_normal_(convolution->weight);
  layers->push_back(convolution);
  add_norm_relu(layers, options.out_channels());
}

}  // namespace

FusionNetworkImpl::FusionNetworkImpl(std::array<int, 4> blocks, std::int64_t base_channels,
                                     ResNetBlock block) {
  backbone_ = register_module("backbone", ResNet(blocks, base_channels, block));
  const std::int64_t width = backbone_->channels()[0] / 2;  // of layer 1
  const auto down = [&](std::int64_t channels) {
    return torch::nn::Conv2dOptions(channels, channels, 3).padding(1).stride(2);
  };
  const auto narrow = [](std::int64_t in, std::int64_t out) { return torch::nn::Conv2dOptions(in, out, 1); };

  torch::nn::Sequential b2, b4, b5;
  add_convolution(b2, down(width));
  add_convolution(b2, down(width));
  add_convolution(b2, narrow(width, 2 * width));
  add_convolution(b4, narrow(4 * width, 2 * width));
  const std::int64_t deepest = 8 * width;
  b5->push_back(torch::nn::ConvTranspose2d(
      torch::nn::ConvTranspose2dOptions(deepest, deepest, 3).stride(2).padding(1).output_padding(1)));
  add_norm_relu(b5, deepest);
  add_convolution(b5, narrow(deepest, deepest / 4));

  b2_ = register_module("b2", b2);
  b4_ = register_module("b4", b4);
  b5_ = register_module("b5", b5);
  channels_ = 4 * (2 * width);
}

torch::Tensor FusionNetworkImpl::forward(const torch::Tensor& images) {
  const std::array<torch::Tensor, 4> maps = backbone_->all_maps(images);
  return torch::cat({b2_->forward(maps[0]), torch::max_pool2d(maps[1], /*kernel_size=*/2, /*stride=*/2),
                     b4_->forward(maps[2]), b5_->forward(maps[3])},
                    1);
}

}  // namespace tune::trainer::nn
