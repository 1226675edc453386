#pragma once
// Detectors of two stages: a network that makes maps, a head that proposes regions, a head that looks at
// them.
#include <functional>

#include "trainer/nn/roi_align.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/region_head.h"
#include "trainer/tasks/detection/region_proposals.h"

namespace tune::trainer::detection {

// On a feature pyramid its names are torchvision's ("backbone.body", "backbone.fpn", "rpn", "roi_heads"), on
// a fusion network those of the published implementation ("mfn", "rpn.rpn", "roi.roi_head").
class TwoStageModelImpl : public torch::nn::Module {
 public:
  // Weights are drawn from LibTorch's default generator. The memory layout is channels_last.
  TwoStageModelImpl(const TwoStageNetwork& network, int classes);

  // Normalised images [B, 3, H, W], whose sides 32 divides, as the maps that anchors lie on.
  std::vector<torch::Tensor> maps(const torch::Tensor& images) { return maps_of_(images); }
  AnchorScores anchor_scores(const std::vector<torch::Tensor>& maps) { return proposal_head_(maps); }
  // Of R regions, corners float [R, 4] in images int64 [R], whose height `maps` come from.
  RegionScores region_scores(const std::vector<torch::Tensor>& maps, const torch::Tensor& boxes,
                             const torch::Tensor& images, std::int64_t height);
  // The last part of that: of features [R, C, 7, 7].
  RegionScores head(const torch::Tensor& features) { return region_head_(features); }

 private:
  void build_pyramid(const TwoStageNetwork& network, int classes);
  void build_fusion(const TwoStageNetwork& network, int classes);

  std::function<std::vector<torch::Tensor>(const torch::Tensor&)> maps_of_;
  std::size_t looked_at_ = 1;  // maps that regions are looked up in; the others only have anchors
  ProposalHead proposal_head_{nullptr};
  RegionHead region_head_{nullptr};
};
TORCH_MODULE(TwoStageModel);

}  // namespace tune::trainer::detection
