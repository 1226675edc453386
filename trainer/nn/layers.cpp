#include "trainer/nn/layers.h"

#include "trainer/nn/batch_norm.h"

namespace tune::trainer::nn {
namespace {

template <typename Initialize>
void for_each_convolution(torch::nn::Module& module, Initialize initialize) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* convolution = child->as<torch::nn::Conv2d>()) {
      initialize(convolution->weight);
      if (convolution->bias.defined()) torch::nn::init::zeros_(convolution->bias);
    }
  }
}

}  // namespace

torch::nn::Sequential conv_norm_relu(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                     std::int64_t stride) {
  return torch::nn::Sequential(
      torch::nn::Conv2d(
          torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false)),
      BatchNorm2d(out), torch::nn::ReLU(torch::nn::ReLUOptions(true)));
}

torch::nn::Sequential extra_block(std::int64_t in, const ExtraMap& map) {
  const auto relu = [] { return torch::nn::ReLU(torch::nn::ReLUOptions(true)); };
  return torch::nn::Sequential(
      torch::nn::Conv2d(torch::nn::Conv2dOptions(in, map.squeeze, 1)), relu(),
      torch::nn::Conv2d(
          torch::nn::Conv2dOptions(map.squeeze, map.out, map.kernel).stride(map.stride).padding(map.padding)),
      relu());
}

void initialize_convolutions(torch::nn::Module& module) {
  for_each_convolution(module, [](torch::Tensor& weight) {
    torch::nn::init::kaiming_normal_(weight, 0, torch::kFanOut, torch::kReLU);
  });
}

void initialize_convolutions_xavier(torch::nn::Module& module) {
  for_each_convolution(module, [](torch::Tensor& weight) { torch::nn::init::xavier_uniform_(weight); });
}

void to_channels_last(torch::nn::Module& module) {
  for (auto& parameter : module.parameters())
    if (parameter.dim() == 4)
      parameter.set_data(parameter.detach().contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace tune::trainer::nn
