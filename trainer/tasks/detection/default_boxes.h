#pragma once
// The boxes that a single-shot detector classifies and shifts (Liu et al., SSD, ECCV 2016, section 2.2).
#include <array>
#include <vector>

#include "trainer/tasks/detection/box.h"

namespace tune::trainer::detection {

// One feature map: cells x cells cells, each with the same shapes about its centre.
struct FeatureMap {
  int cells = 1;
  double scale = 0.1;  // side of the square box, as a fraction of the image
  double next_scale =
      0.2;  // that of the next map; the in-between square box has the side sqrt(scale * next_scale)
};

// Width over height. 5 and 1/5 are for long thin objects such as scratches, of which the usual ratios up to 3
// reach only a third with an overlap of one half.
inline constexpr std::array<double, 8> kAspectRatios{1, 2, 1.0 / 2, 3, 1.0 / 3, 5, 1.0 / 5, 1};
inline constexpr int kBoxesPerCell = static_cast<int>(kAspectRatios.size());

// As fractions of the image's sides, not clipped. Map by map, cell by cell in rows, shape by shape: the order
// in which the network's heads give their outputs.
std::vector<Box> default_boxes(const std::vector<FeatureMap>& maps);

}  // namespace tune::trainer::detection
