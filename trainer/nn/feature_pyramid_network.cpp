#include "trainer/nn/feature_pyramid_network.h"

namespace tune::trainer::nn {

FeaturePyramidNetworkImpl::FeaturePyramidNetworkImpl(const std::vector<std::int64_t>& in, std::int64_t out) {
  torch::nn::ModuleList inner_blocks = register_module("inner_blocks", torch::nn::ModuleList()),
                        layer_blocks = register_module("layer_blocks", torch::nn::ModuleList());
  const auto add = [](torch::nn::ModuleList& blocks, std::vector<torch::nn::Conv2d>& convolutions,
                      const torch::nn::Conv2dOptions& options) {
    convolutions.emplace_back(options);
    torch::nn::init::kaiming_uniform_(convolutions.back()->weight, /*a=*/1);
    torch::nn::init::zeros_(convolutions.back()->bias);
    blocks->push_back(torch::nn::Sequential(convolutions.back()));
  };
  for (const std::int64_t channels : in) {
    add(inner_blocks, inner_, torch::nn::Conv2dOptions(channels, out, 1));
    add(layer_blocks, layer_, torch::nn::Conv2dOptions(out, out, 3).padding(1));
  }
}

std::vector<torch::Tensor> FeaturePyramidNetworkImpl::forward(const std::vector<torch::Tensor>& maps) {
  std::vector<torch::Tensor> result(maps.size());
  torch::Tensor above;
  for (std::size_t i = maps.size(); i-- > 0;) {
    torch::Tensor inner = inner_[i](maps[i]);
    if (above.defined())
      inner = inner + torch::upsample_nearest2d(above, at::IntArrayRef{inner.size(2), inner.size(3)});
    above = inner;
    result[i] = layer_[i](inner);
  }
  result.push_back(torch::max_pool2d(result.back(), /*kernel_size=*/1, /*stride=*/2));
  return result;
}

}  // namespace tune::trainer::nn
