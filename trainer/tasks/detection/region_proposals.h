#pragma once
// The first stage of Faster R-CNN: anchors in each place of each map, how much each looks like an object, and
// the regions that follow from that (Ren et al., NeurIPS 2015, section 3), as torchvision has them.
#include <vector>

#include "trainer/images/image.h"
#include "trainer/parallel/team.h"
#include "trainer/tasks/detection/region_sampling.h"

namespace tune::trainer::detection {

// Anchors of all maps, map by map, place by place in rows, shape by shape: float [N, 4] in pixels of the
// padded images, of `height` by `width`.
torch::Tensor anchor_boxes(const std::vector<torch::Tensor>& maps, std::int64_t height, std::int64_t width,
                           const ProposalRules& rules);

// What the network says of the anchors, in fp32.
struct AnchorScores {
  torch::Tensor logits;               // [B, N]
  torch::Tensor offsets;              // [B, N, 4], in units of the anchors
  std::vector<std::int64_t> per_map;  // anchors of each map, together N
};

// A 3x3 convolution on each map and two 1x1 ones on it, the same for all maps. Under torchvision's names.
class ProposalHeadImpl : public torch::nn::Module {
 public:
  ProposalHeadImpl(std::int64_t channels, std::int64_t anchors_per_place);
  AnchorScores forward(const std::vector<torch::Tensor>& maps);

 private:
  torch::nn::Conv2d convolution_{nullptr}, cls_logits{nullptr}, bbox_pred{nullptr};
};
TORCH_MODULE(ProposalHead);

struct StageLosses {
  torch::Tensor classes, boxes;  // scalars
};

// Over the sampled anchors of all images: the mean cross-entropy of objects against the rest, and the
// distance of objects' offsets by the number of the sampled, which are those of the whole batch where `team`
// shares one.
StageLosses proposal_losses(const AnchorScores& scores, const torch::Tensor& anchors,
                            const ObjectBatch& objects, const ProposalRules& rules, Draw draw,
                            const parallel::Team& team = *parallel::alone());

struct Regions {
  torch::Tensor boxes;   // float [B, P, 4], by falling score, within their image
  torch::Tensor counts;  // bool [B, P]: false where an image has fewer than P
};

// Of each map the best anchors, moved by their offsets and cut to their image (`sizes`), those that no better
// one of the same map suppresses, and of all maps together the best. No gradient goes through.
Regions propose_regions(const AnchorScores& scores, const torch::Tensor& anchors,
                        const std::vector<images::Size>& sizes, const ProposalRules::Counts& counts,
                        float overlap);

}  // namespace tune::trainer::detection
