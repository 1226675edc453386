#include "trainer/tasks/detection/region_proposals.h"

#include <algorithm>
#include <cmath>

#include "trainer/libtorch_threads.h"
#include "trainer/tasks/detection/batched_boxes.h"
#include "trainer/tasks/detection/batched_detections.h"
#include "trainer/tasks/detection/shared_counts.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

constexpr OffsetUnits kAnchorUnits{1, 1};
const float kLargestGrowth = std::log(1000.0F / 16);  // torchvision's
constexpr double kLeastSide = 1e-3, kTurn = 1.0 / 9;  // in pixels; and where smooth L1 turns linear

// About the middle of a place, rounded to whole pixels: [K, 4].
torch::Tensor shapes_of(const std::vector<double>& sides, const std::vector<double>& ratios) {
  std::vector<float> corners;
  for (const double ratio : ratios) {
    const float down = std::sqrt(static_cast<float>(ratio)), across = 1 / down;
    for (const double side : sides) {
      const float width = across * static_cast<float>(side), height = down * static_cast<float>(side);
      for (const float corner : {-width / 2, -height / 2, width / 2, height / 2})
        corners.push_back(std::nearbyint(corner));
    }
  }
  return torch::tensor(corners).view({-1, 4});
}

// [B, K * columns, h, w] -> [B, h * w * K, columns]
torch::Tensor rows_per_anchor(const torch::Tensor& map, std::int64_t columns) {
  return map.permute({0, 2, 3, 1}).reshape({map.size(0), -1, columns}).to(torch::kFloat);
}

// Boxes of one map by falling score, and which of them stay.
struct Suppression {
  const float* boxes;  // [count, 4]
  const bool* counts;
  bool* stays;
  std::int64_t count;
};

// Ends once as many stay as will ever be looked at.
void suppress_plainly(const Suppression& task, float overlap, std::int64_t most) {
  std::vector<Box> kept;
  for (std::int64_t i = 0; i < task.count && static_cast<std::int64_t>(kept.size()) < most; ++i) {
    if (!task.counts[i]) continue;
    const float* corner = task.boxes + 4 * i;
    const Box box{corner[0], corner[1], corner[2], corner[3]};
    task.stays[i] = std::none_of(kept.begin(), kept.end(), [&](const Box& better) {
      return intersection_over_union(better, box) > overlap;
    });
    if (task.stays[i]) kept.push_back(box);
  }
}

// Of one map: boxes [B, K, 4], scores [B, K] that fall, and which boxes are any.
struct MapCandidates {
  torch::Tensor boxes, scores, counts;
};

// Masks [B, K], one for each map.
std::vector<torch::Tensor> staying(const std::vector<MapCandidates>& maps, float overlap, std::int64_t most) {
  std::vector<torch::Tensor> masks;
  if (!maps.front().boxes.is_cpu()) {
    for (const MapCandidates& map : maps) masks.push_back(not_suppressed(map.boxes, map.counts, overlap));
    return masks;
  }
  std::vector<torch::Tensor> held;
  std::vector<Suppression> tasks;
  for (const MapCandidates& map : maps) {
    const torch::Tensor boxes = map.boxes.contiguous(), counts = map.counts.contiguous();
    masks.push_back(torch::zeros_like(counts));
    held.insert(held.end(), {boxes, counts});
    for (std::int64_t image = 0; image < counts.size(0); ++image) {
      const std::int64_t count = counts.size(1), first = image * count;
      tasks.push_back({boxes.const_data_ptr<float>() + 4 * first, counts.const_data_ptr<bool>() + first,
                       masks.back().data_ptr<bool>() + first, count});
    }
  }
  for_parts(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t task) {
    suppress_plainly(tasks[static_cast<std::size_t>(task)], overlap, most);
  });
  return masks;
}

torch::Tensor limits_of(const std::vector<images::Size>& sizes, const torch::Device& device) {
  std::vector<float> limits;
  for (const images::Size& size : sizes)
    for (const int side : {size.width, size.height, size.width, size.height})
      limits.push_back(static_cast<float>(side));
  return torch::tensor(limits).view({-1, 1, 4}).to(device);
}

}  // namespace

torch::Tensor anchor_boxes(const std::vector<torch::Tensor>& maps, std::int64_t height, std::int64_t width,
                           const ProposalRules& rules) {
  TUNE_CHECK(maps.size() == rules.sides.size());
  std::vector<torch::Tensor> anchors;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::int64_t rows = maps[i].size(2), columns = maps[i].size(3);
    const torch::Tensor y = (torch::arange(rows, torch::kFloat) * (height / rows)).view({rows, 1}),
                        x = (torch::arange(columns, torch::kFloat) * (width / columns)).view({1, columns});
    const torch::Tensor across = x.expand({rows, columns}), down = y.expand({rows, columns});
    const torch::Tensor places = torch::stack({across, down, across, down}, 2).view({-1, 1, 4});
    anchors.push_back((places + shapes_of(rules.sides[i], rules.ratios)).view({-1, 4}));
  }
  return torch::cat(anchors).to(maps.front().device());
}

ProposalHeadImpl::ProposalHeadImpl(std::int64_t channels, std::int64_t anchors_per_place) {
  convolution_ = torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, channels, 3).padding(1));
  register_module("conv", torch::nn::ModuleList())->push_back(torch::nn::Sequential(convolution_));
  cls_logits = register_module("cls_logits",
                               torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, anchors_per_place, 1)));
  bbox_pred = register_module(
      "bbox_pred", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, 4 * anchors_per_place, 1)));
  for (auto* layer : {&convolution_, &cls_logits, &bbox_pred}) {
    torch::nn::init::normal_((*layer)->weight, 0.0, 0.01);
    torch::nn::init::zeros_((*layer)->bias);
  }
}

AnchorScores ProposalHeadImpl::forward(const std::vector<torch::Tensor>& maps) {
  AnchorScores scores;
  std::vector<torch::Tensor> logits, offsets;
  for (const torch::Tensor& map : maps) {
    const torch::Tensor seen = convolution_(map).relu_();
    logits.push_back(rows_per_anchor(cls_logits(seen), 1).squeeze(2));
    offsets.push_back(rows_per_anchor(bbox_pred(seen), 4));
    scores.per_map.push_back(logits.back().size(1));
  }
  scores.logits = torch::cat(logits, 1);
  scores.offsets = torch::cat(offsets, 1);
  return scores;
}

StageLosses proposal_losses(const AnchorScores& scores, const torch::Tensor& anchors,
                            const ObjectBatch& objects, const ProposalRules& rules, Draw draw,
                            const parallel::Team& team) {
  torch::Tensor entropy, distance, sampled;
  for (std::int64_t image = 0; image < scores.logits.size(0); ++image) {
    const torch::Tensor boxes = objects.boxes[image];
    const MatchedRegions matched =
        match_regions(anchors, boxes, objects.categories[image] > 0, rules.matching);
    const SampledRegions chosen = sample_regions(
        matched.labels, sampling_keys(anchors.size(0), draw, anchors.device()), rules.sampling);
    const torch::Tensor labels = matched.labels.index_select(0, chosen.places);
    const torch::Tensor is_object = chosen.counts.logical_and(labels > 0);
    const torch::Tensor learned =
        encode_boxes(boxes.index_select(0, matched.objects.index_select(0, chosen.places)),
                     anchors.index_select(0, chosen.places), kAnchorUnits)
            .masked_fill(is_object.logical_not().unsqueeze(1), 0.0);
    const torch::Tensor logits = scores.logits[image].index_select(0, chosen.places),
                        offsets = scores.offsets[image].index_select(0, chosen.places);
    const auto add = [](torch::Tensor& sum, const torch::Tensor& term) {
      sum = sum.defined() ? sum + term : term;
    };
    add(entropy, torch::binary_cross_entropy_with_logits(logits, labels.clamp_min(0).to(torch::kFloat), {},
                                                         {}, at::Reduction::None)
                     .masked_fill(chosen.counts.logical_not(), 0.0)
                     .sum());
    add(distance, torch::smooth_l1_loss(offsets, learned, at::Reduction::None, kTurn)
                      .masked_fill(is_object.logical_not().unsqueeze(1), 0.0)
                      .sum());
    add(sampled, chosen.counts.sum());
  }
  const std::vector<torch::Tensor> counts = shared_counts({sampled}, scores.logits.size(0), team);
  const torch::Tensor divisor = counts[0].clamp_min(1);
  return {entropy / divisor * counts[1], distance / divisor * counts[1]};
}

Regions propose_regions(const AnchorScores& scores, const torch::Tensor& anchors,
                        const std::vector<images::Size>& sizes, const ProposalRules::Counts& counts,
                        float overlap) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor limits = limits_of(sizes, anchors.device());
  std::vector<MapCandidates> maps;
  std::int64_t first = 0;
  for (const std::int64_t of_map : scores.per_map) {
    const auto [logits, order] =
        scores.logits.detach().narrow(1, first, of_map).topk(std::min(counts.per_map, of_map), 1);
    const torch::Tensor places = order + first;
    const torch::Tensor offsets = scores.offsets.detach().gather(1, places.unsqueeze(2).expand({-1, -1, 4}));
    const torch::Tensor moved =
        decode_boxes(offsets, anchors.index_select(0, places.reshape({-1})).view(offsets.sizes()),
                     kLargestGrowth, kAnchorUnits);
    const torch::Tensor boxes = torch::minimum(moved.clamp_min(0), limits);
    const torch::Tensor counted = (boxes.select(2, 2) - boxes.select(2, 0) >= kLeastSide)
                                      .logical_and(boxes.select(2, 3) - boxes.select(2, 1) >= kLeastSide);
    maps.push_back({boxes, torch::sigmoid(logits), counted});
    first += of_map;
  }
  const std::vector<torch::Tensor> masks = staying(maps, overlap, counts.in_all);
  std::vector<torch::Tensor> all_boxes, all_scores;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    all_boxes.push_back(maps[i].boxes);
    all_scores.push_back(maps[i].scores.masked_fill(masks[i].logical_not(), -1));
  }
  // Equal scores stay in the order of the maps.
  const auto [sorted, order] =
      torch::cat(all_scores, 1).sort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const std::int64_t kept = std::min(counts.in_all, sorted.size(1));
  const torch::Tensor places = order.narrow(1, 0, kept);
  return {torch::cat(all_boxes, 1).gather(1, places.unsqueeze(2).expand({-1, -1, 4})),
          sorted.narrow(1, 0, kept) >= 0};
}

}  // namespace tune::trainer::detection
