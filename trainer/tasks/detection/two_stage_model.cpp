#include "trainer/tasks/detection/two_stage_model.h"

#include "trainer/nn/feature_pyramid_network.h"
#include "trainer/nn/fusion_network.h"
#include "trainer/nn/layers.h"

namespace tune::trainer::detection {
namespace {

const nn::RoiAlignOptions kRoiAlign{7, 2};  // torchvision's box_roi_pool, whatever the model

std::int64_t anchors_per_place(const ProposalRules& rules) {
  return static_cast<std::int64_t>(rules.sides.front().size() * rules.ratios.size());
}

std::int64_t inputs_of(std::int64_t channels) { return channels * kRoiAlign.side * kRoiAlign.side; }

std::shared_ptr<torch::nn::Module> group(torch::nn::Module& parent, const char* name) {
  return parent.register_module(name, std::make_shared<torch::nn::Module>(name));
}

}  // namespace

TwoStageModelImpl::TwoStageModelImpl(const TwoStageNetwork& network, int classes) {
  if (network.pyramid)
    build_pyramid(network, classes);
  else
    build_fusion(network, classes);
  nn::to_channels_last(*this);
}

void TwoStageModelImpl::build_pyramid(const TwoStageNetwork& network, int classes) {
  auto backbone = group(*this, "backbone");
  nn::ResNet body =
      backbone->register_module("body", nn::ResNet(network.blocks, network.base_channels, network.block));
  const std::array<std::int64_t, 3> deeper = body->channels();
  nn::FeaturePyramidNetwork path = backbone->register_module(
      "fpn",
      nn::FeaturePyramidNetwork(std::vector<std::int64_t>{deeper[0] / 2, deeper[0], deeper[1], deeper[2]},
                                *network.pyramid));
  maps_of_ = [body, path](const torch::Tensor& images) mutable {
    const std::array<torch::Tensor, 4> maps = body->all_maps(images);
    return path(std::vector<torch::Tensor>(maps.begin(), maps.end()));
  };
  looked_at_ = deeper.size() + 1;
  proposal_head_ =
      group(*this, "rpn")
          ->register_module("head", ProposalHead(*network.pyramid, anchors_per_place(network.proposals)));
  region_head_ = register_module("roi_heads", RegionHead(inputs_of(*network.pyramid), network.head.width,
                                                         classes, RegionHeadNames{"fc6", "fc7"}));
}

void TwoStageModelImpl::build_fusion(const TwoStageNetwork& network, int classes) {
  nn::FusionNetwork fusion =
      register_module("mfn", nn::FusionNetwork(network.blocks, network.base_channels, network.block));
  maps_of_ = [fusion](const torch::Tensor& images) mutable {
    return std::vector<torch::Tensor>{fusion(images)};
  };
  const std::int64_t channels = fusion->channels();
  proposal_head_ =
      group(*group(*this, "rpn"), "rpn")
          ->register_module("head", ProposalHead(channels, anchors_per_place(network.proposals)));
  region_head_ = group(*this, "roi")
                     ->register_module("roi_head", RegionHead(inputs_of(channels), network.head.width,
                                                              classes, RegionHeadNames{"mlp.0", "mlp.2"}));
}

RegionScores TwoStageModelImpl::region_scores(const std::vector<torch::Tensor>& maps,
                                              const torch::Tensor& boxes, const torch::Tensor& images,
                                              std::int64_t height) {
  std::vector<nn::RoiLevel> levels;
  std::vector<double> scales;
  for (std::size_t i = 0; i < looked_at_; ++i) {
    scales.push_back(1 / static_cast<double>(height / maps[i].size(2)));
    levels.push_back({maps[i], scales.back()});
  }
  return region_head_(nn::roi_align(levels, {boxes, images, nn::levels_of_boxes(boxes, scales)}, kRoiAlign));
}

}  // namespace tune::trainer::detection
