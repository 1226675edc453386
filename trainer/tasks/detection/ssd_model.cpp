#include "trainer/tasks/detection/ssd_model.h"

#include <cmath>

#include "trainer/nn/layers.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

// The share of boxes that an untrained network takes for objects, so that the many background boxes do not
// drown the first steps (Lin et al., Focal Loss, ICCV 2017, section 3.3).
constexpr double kObjectPrior = 0.01;

torch::nn::Conv2d head(std::int64_t channels, std::size_t boxes_per_cell, std::int64_t columns) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(channels, static_cast<std::int64_t>(boxes_per_cell) * columns, 3).padding(1));
}

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
  std::visit([&](const auto& network) { build(network, model.maps); }, model.network);
  nn::to_channels_last(*this);
}

void SsdModelImpl::build(const PyramidNetwork& network, const std::vector<FeatureMap>& maps) {
  nn::ResNet backbone = register_module("backbone", nn::ResNet(network.blocks, network.base_channels));
  FeaturePyramid neck =
      register_module("neck", FeaturePyramid(backbone->channels(), network.neck_channels, maps.size()));
  nn::initialize_convolutions(*neck);
  maps_of_ = [backbone, neck](const torch::Tensor& images) mutable { return neck(backbone(images)); };
  build_shared_heads(network.neck_channels, maps);
}

void SsdModelImpl::build(const VggNetwork& network, const std::vector<FeatureMap>& maps) {
  nn::SsdVgg16 backbone = register_module("backbone", nn::SsdVgg16(network));
  maps_of_ = [backbone](const torch::Tensor& images) mutable { return backbone(images); };
  build_heads(backbone->channels(), maps);
}

void SsdModelImpl::build(const ResNet50Network& network, const std::vector<FeatureMap>& maps) {
  nn::ResNet backbone = register_module("backbone", nn::make_resnet50());
  torch::nn::ModuleList extra = register_module("extra", torch::nn::ModuleList());
  std::vector<std::int64_t> channels{backbone->channels()[1], backbone->channels()[2]};
  std::vector<torch::nn::Sequential> blocks;
  for (const nn::ExtraMap& map : network.extras) {
    blocks.push_back(nn::extra_block(channels.back(), map));
    extra->push_back(blocks.back());
    channels.push_back(map.out);
  }
  nn::initialize_convolutions_xavier(*extra);
  maps_of_ = [backbone, blocks](const torch::Tensor& images) mutable {
    const std::array<torch::Tensor, 3> strides = backbone(images);
    std::vector<torch::Tensor> result{strides[1], strides[2]};
    for (torch::nn::Sequential& block : blocks) result.push_back(block->forward(result.back()));
    return result;
  };
  build_heads(channels, maps);
}

void SsdModelImpl::build(const TwoStageNetwork&, const std::vector<FeatureMap>&) {
  TUNE_CHECK(false, "a network of two stages is no single-shot detector");
}

void SsdModelImpl::build_shared_heads(std::int64_t channels, const std::vector<FeatureMap>& maps) {
  const std::size_t per_cell = maps.front().shapes.size();
  auto heads = register_module("head", std::make_shared<torch::nn::Module>("head"));
  torch::nn::Conv2d classification =
      heads->register_module("classification_head", head(channels, per_cell, classes_ + 1));
  torch::nn::Conv2d regression = heads->register_module("regression_head", head(channels, per_cell, 4));
  const torch::NoGradGuard no_grad;
  for (auto* convolution : {&classification, &regression}) {
    torch::nn::init::normal_((*convolution)->weight, 0.0, 0.01);
    torch::nn::init::zeros_((*convolution)->bias);
  }
  // With this bias on the background the softmax gives all classes together the prior.
  const double background = std::log((1 - kObjectPrior) * static_cast<double>(classes_) / kObjectPrior);
  classification->bias.view({-1, classes_ + 1}).select(1, 0).fill_(background);
  classification_.assign(maps.size(), classification);
  regression_.assign(maps.size(), regression);
}

void SsdModelImpl::build_heads(const std::vector<std::int64_t>& channels,
                               const std::vector<FeatureMap>& maps) {
  TUNE_CHECK(channels.size() == maps.size());
  auto heads = register_module("head", std::make_shared<torch::nn::Module>("head"));
  const auto on_each_map = [&](const char* name, std::int64_t columns) {
    auto module = heads->register_module(name, std::make_shared<torch::nn::Module>(name));
    torch::nn::ModuleList list = module->register_module("module_list", torch::nn::ModuleList());
    std::vector<torch::nn::Conv2d> convolutions;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      convolutions.push_back(head(channels[i], maps[i].shapes.size(), columns));
      list->push_back(convolutions.back());
    }
    nn::initialize_convolutions_xavier(*list);
    return convolutions;
  };
  classification_ = on_each_map("classification_head", classes_ + 1);
  regression_ = on_each_map("regression_head", 4);
}

SsdOutput SsdModelImpl::forward(const torch::Tensor& images) {
  std::vector<torch::Tensor> logits, offsets;
  const std::vector<torch::Tensor> maps = maps_of_(images);
  TUNE_CHECK(maps.size() == classification_.size());
  for (std::size_t i = 0; i < maps.size(); ++i) {
    logits.push_back(rows_per_box(classification_[i](maps[i]), classes_ + 1));
    offsets.push_back(rows_per_box(regression_[i](maps[i]), 4));
  }
  return {torch::cat(logits, 1), torch::cat(offsets, 1)};
}

}  // namespace tune::trainer::detection
