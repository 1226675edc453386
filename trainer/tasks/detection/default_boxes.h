#pragma once
// The boxes that a single-shot detector classifies and shifts (Liu et al., SSD, ECCV 2016, section 2.2).
#include <array>
#include <vector>

#include "trainer/tasks/detection/box.h"

namespace tune::trainer::detection {

// One feature map: cells x cells cells, each with the same shapes about its centre.
struct FeatureMap {
  int cells = 1;
  double scale = 0.1;       // side of the square box, as a fraction of the image
  double next_scale = 0.2;  // that of the next map; larger boxes have sqrt(scale * next_scale)
};

// One box of a cell. Either of the map's own scale, or in between its scale and the next one's.
struct Shape {
  double aspect_ratio = 1;  // width over height
  bool larger = false;
};

// 5 and 1/5, twice, are for long thin objects such as scratches: with the usual ratios up to 3 only a quarter
// to four tenths of the scratches of NEU-DET overlap a box by one half, with these eight tenths.
inline constexpr std::array<Shape, 10> kShapes{
    {{1}, {2}, {1.0 / 2}, {3}, {1.0 / 3}, {5}, {1.0 / 5}, {1, true}, {5, true}, {1.0 / 5, true}}};
inline constexpr int kBoxesPerCell = static_cast<int>(kShapes.size());

// As fractions of the image's sides, not clipped. Map by map, cell by cell in rows, shape by shape: the order
// in which the network's heads give their outputs.
std::vector<Box> default_boxes(const std::vector<FeatureMap>& maps);

}  // namespace tune::trainer::detection
