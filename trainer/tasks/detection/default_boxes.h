#pragma once
// The boxes that a single-shot detector classifies and shifts (Liu et al., SSD, ECCV 2016, section 2.2).
#include <vector>

#include "trainer/tasks/detection/box.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

// The sides of one default box, as fractions of the image's.
struct Shape {
  double width = 1, height = 1;
  bool operator==(const Shape&) const = default;
};

// One feature map: cells x cells cells, each with the same shapes about its centre.
struct FeatureMap {
  int cells = 1;
  // Centres lie at (i + .5) / grid, i = 0 .. cells - 1: the image's side in strides of the map, which is
  // `cells` or, where the stride does not divide the side, a little less.
  double grid = 1;
  std::vector<Shape> shapes;
  bool operator==(const FeatureMap&) const = default;
};

// As fractions of the image's sides, not clipped. Map by map, cell by cell in rows, shape by shape: the order
// in which the network's heads give their outputs.
std::vector<Box> default_boxes(const std::vector<FeatureMap>& maps);

// [{"cells": 38, "grid": 37.5, "shapes": [[width, height], ...]}, ...]
OrderedJson to_json(const std::vector<FeatureMap>& maps);
// The same cells and numbers of shapes as `stock`, with the shapes of the file. `place` names it in errors.
// Throws Error(kBadData).
std::vector<FeatureMap> maps_from_json(const Json& json, const std::vector<FeatureMap>& stock,
                                       const std::string& place);

}  // namespace tune::trainer::detection
