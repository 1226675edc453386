#include "trainer/tasks/detection/ssd_model.h"

#include <cmath>

#include "trainer/nn/layers.h"

namespace tune::trainer::detection {
namespace {

// The share of boxes that an untrained network takes for objects, so that the many background boxes do not
// drown the first steps (Lin et al., Focal Loss, ICCV 2017, section 3.3).
constexpr double kObjectPrior = 0.01;

// [B, K * columns, h, w] -> [B, h * w * K, columns]
torch::Tensor rows_per_box(const torch::Tensor& map, std::int64_t columns) {
  return map.permute({0, 2, 3, 1}).reshape({map.size(0), -1, columns});
}

}  // namespace

FeaturePyramidImpl::FeaturePyramidImpl(std::array<std::int64_t, 3> in, std::int64_t out, std::size_t maps) {
  inner_blocks = register_module("inner_blocks", torch::nn::ModuleList());
  layer_blocks = register_module("layer_blocks", torch::nn::ModuleList());
  extra_blocks = register_module("extra_blocks", torch::nn::ModuleList());
  for (const std::int64_t channels : in) {
    inner_blocks->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, out, 1)));
    layer_blocks->push_back(nn::conv_norm_relu(out, out, 3, 1));
  }
  for (std::size_t i = in.size(); i < maps; ++i) extra_blocks->push_back(nn::conv_norm_relu(out, out, 3, 2));
}

std::vector<torch::Tensor> FeaturePyramidImpl::forward(const std::array<torch::Tensor, 3>& maps) {
  std::vector<torch::Tensor> result(maps.size());
  torch::Tensor above;
  for (std::size_t i = maps.size(); i-- > 0;) {
    torch::Tensor inner = inner_blocks[i]->as<torch::nn::Conv2d>()->forward(maps[i]);
    if (above.defined())
      inner = inner + torch::upsample_nearest2d(above, at::IntArrayRef{inner.size(2), inner.size(3)});
    above = inner;
    result[i] = layer_blocks[i]->as<torch::nn::Sequential>()->forward(inner);
  }
  for (const auto& block : *extra_blocks)
    result.push_back(block->as<torch::nn::Sequential>()->forward(result.back()));
  return result;
}

SsdModelImpl::SsdModelImpl(const DetectorModel& model, int classes) : classes_(classes) {
  backbone = register_module("backbone", nn::ResNet(model.blocks, model.base_channels));
  neck =
      register_module("neck", FeaturePyramid(backbone->channels(), model.neck_channels, model.maps.size()));
  nn::initialize_convolutions(*neck);
  const auto head = [&](std::int64_t columns) {
    return torch::nn::Conv2d(
        torch::nn::Conv2dOptions(model.neck_channels, kBoxesPerCell * columns, 3).padding(1));
  };
  auto heads = register_module("head", std::make_shared<torch::nn::Module>("head"));
  classification_head = heads->register_module("classification_head", head(classes_ + 1));
  regression_head = heads->register_module("regression_head", head(4));
  initialize_heads(classes);
  nn::to_channels_last(*this);
}

void SsdModelImpl::initialize_heads(int classes) {
  const torch::NoGradGuard no_grad;
  for (auto* convolution : {&classification_head, &regression_head}) {
    torch::nn::init::normal_((*convolution)->weight, 0.0, 0.01);
    torch::nn::init::zeros_((*convolution)->bias);
  }
  // With this bias on the background the softmax gives all classes together the prior.
  const double background = std::log((1 - kObjectPrior) * classes / kObjectPrior);
  classification_head->bias.view({kBoxesPerCell, classes_ + 1}).select(1, 0).fill_(background);
}

SsdOutput SsdModelImpl::forward(const torch::Tensor& images) {
  std::vector<torch::Tensor> logits, offsets;
  for (const torch::Tensor& map : neck(backbone(images))) {
    logits.push_back(rows_per_box(classification_head(map), classes_ + 1));
    offsets.push_back(rows_per_box(regression_head(map), 4));
  }
  return {torch::cat(logits, 1), torch::cat(offsets, 1)};
}

}  // namespace tune::trainer::detection
