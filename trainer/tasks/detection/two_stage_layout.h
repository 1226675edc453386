#pragma once
// What a detector of two stages consists of (Ren et al., Faster R-CNN, NeurIPS 2015): a network proposes
// regions, and a head looks at each of them again.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/nn/resnet.h"

namespace tune::trainer::detection {

// Which boxes stand for an object: those that overlap one by `object` or more, and where `forces` those that
// overlap one the most, however little. Those that overlap none by `background` stand for background, and the
// others for nothing.
struct RegionMatching {
  float object = 0.5F, background = 0.5F;
  bool forces = false;
};

// How many boxes of an image are learned from, and how many of them may stand for objects.
struct RegionSampling {
  std::int64_t count = 256;
  double objects = 0.5;  // a share of the count
};

struct ProposalRules {
  // Of the anchors of each map, the roots of their areas in pixels of the resized image; and their heights to
  // their widths, in each place of a map.
  std::vector<std::vector<double>> sides;
  std::vector<double> ratios{0.5, 1, 2};
  struct Counts {
    std::int64_t per_map;  // the best of each map go into the suppression
    std::int64_t in_all;   // and the best of all that stay are looked at again
  };
  Counts training{2000, 2000}, inference{1000, 1000};
  float overlap = 0.7F;
  RegionMatching matching{0.7F, 0.3F, true};
  RegionSampling sampling{256, 0.5};
};

struct RegionHeadRules {
  std::int64_t width = 1024;  // of its two layers
  RegionMatching matching{0.5F, 0.5F, false};
  RegionSampling sampling{512, 0.25};
};

struct TwoStageNetwork {
  std::array<int, 4> blocks;   // of the ResNet's four layers
  std::int64_t base_channels;  // of its first layer; 64 is torchvision's
  nn::ResNetBlock block;
  // Channels of the maps of a feature pyramid; nullopt: the one map of a fusion network.
  std::optional<std::int64_t> pyramid;
  ProposalRules proposals;
  RegionHeadRules head;
  // Where weights are given to start from, the normalisation of the ResNet keeps what they say of it.
  bool keeps_normalisation = false;
};

}  // namespace tune::trainer::detection
