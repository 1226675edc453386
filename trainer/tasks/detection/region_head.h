#pragma once
// The second stage of Faster R-CNN: regions that are looked at again, each of them classified and fitted
// anew (Girshick, Fast R-CNN, ICCV 2015), as torchvision has it.
#include <string>
#include <vector>

#include "trainer/tasks/detection/detections.h"
#include "trainer/tasks/detection/region_proposals.h"

namespace tune::trainer::detection {

// What the head says of R regions, in fp32.
struct RegionScores {
  torch::Tensor logits;   // [R, classes + 1], background first
  torch::Tensor offsets;  // [R, classes + 1, 4], a box for each class
};

// How the two layers of a head are called in files.
struct RegionHeadNames {
  std::string first, second;  // "fc6" and "fc7", or "mlp.0" and "mlp.2"
};

// Two fully connected layers and a pair on top. "box_head" and "box_predictor", under torchvision's names but
// for those of the two layers.
class RegionHeadImpl : public torch::nn::Module {
 public:
  RegionHeadImpl(std::int64_t inputs, std::int64_t width, int classes, const RegionHeadNames& names);
  // [R, C, side, side]
  RegionScores forward(const torch::Tensor& features);

 private:
  std::int64_t columns_;
  torch::nn::Linear first_{nullptr}, second_{nullptr}, cls_score{nullptr}, bbox_pred{nullptr};
};
TORCH_MODULE(RegionHead);

// Regions that are looked at, and what they are to learn.
struct RegionSample {
  torch::Tensor boxes;       // float [R, 4]
  torch::Tensor images;      // int64 [R], of the batch
  torch::Tensor categories;  // int64 [R]; 0 is background
  torch::Tensor offsets;     // float [R, 4]: those of an object from its region; only its rows count
};

// Of the proposed regions and the objects themselves.
RegionSample sample_of_regions(const Regions& regions, const ObjectBatch& objects,
                               const RegionHeadRules& rules, Draw draw);

// The mean cross-entropy, and the distance of objects' offsets by the number of all regions, which are those
// of the whole batch where `team` shares one. `images` are this process's.
StageLosses region_losses(const RegionScores& scores, const RegionSample& sample, std::int64_t images,
                          const parallel::Team& team = *parallel::alone());

// Of one image: `probabilities` [P, classes + 1] and `offsets` [P, classes + 1, 4] of `regions` [P, 4], all
// on the CPU and contiguous. Boxes are fractions of the image of that size; the result is sorted by falling
// score.
std::vector<ScoredBox> detections_in_regions(const torch::Tensor& probabilities, const torch::Tensor& offsets,
                                             const torch::Tensor& regions, images::Size size,
                                             const DetectionLimits& limits);

}  // namespace tune::trainer::detection
