#pragma once
// Which boxes of an image stand for its objects, and which of them are learned from.
#include "trainer/tasks/detection/two_stage_layout.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

// The objects of a batch, in pixels of the images that a network sees.
struct ObjectBatch {
  torch::Tensor boxes;       // float [B, M, 4]
  torch::Tensor categories;  // int64 [B, M]; 0 where an image has fewer than M
};

// What N boxes stand for.
struct MatchedRegions {
  torch::Tensor objects;  // int64 [N]: the object that each overlaps most
  torch::Tensor labels;   // int64 [N]: 1 for an object, 0 for background, -1 for nothing
};

// `boxes` [N, 4]; `objects` [M, 4] of which those count where `is_object` [M]. As torchvision's Matcher, down
// to which of equal overlaps is taken.
MatchedRegions match_regions(const torch::Tensor& boxes, const torch::Tensor& objects,
                             const torch::Tensor& is_object, const RegionMatching& rules);

// Boxes that are learned from.
struct SampledRegions {
  torch::Tensor places;  // int64 [K], of the N; objects first
  torch::Tensor counts;  // bool [K]: false for places that only fill up
};

// Of boxes with labels [N], a choice by the largest of `keys` [N], numbers from [0, 1): objects up to their
// share, and background for the rest. K is the least of `sampling.count` and N.
SampledRegions sample_regions(const torch::Tensor& labels, const torch::Tensor& keys,
                              const RegionSampling& sampling);

// Where keys come from. Training draws them with LibTorch's default generator of the CPU, so that it learns
// from the same places on every device; a measurement takes the same ones each time.
enum class Draw { kRandom, kSame };
torch::Tensor sampling_keys(std::int64_t count, Draw draw, const torch::Device& device);

}  // namespace tune::trainer::detection
