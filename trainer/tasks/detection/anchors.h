#pragma once
// How well default boxes reach the objects of a data set, and boxes that reach them better.
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/default_boxes.h"

namespace tune::trainer::detection {

// An object as a detector sees it: fractions of its image's sides.
struct ObjectShape {
  double center_x = 0, center_y = 0, width = 0, height = 0;
  int category = 0;  // from 1
};

// All but crowd regions, which nothing learns.
std::vector<ObjectShape> object_shapes(const Dataset& dataset);

// The largest intersection over union of an object with the boxes of this shape in all cells of the map.
double best_overlap(const ObjectShape& object, const FeatureMap& map, const Shape& shape);

// The share of objects that overlap a default box by kMatchOverlap or more: the others are learned by one
// box each, which fits them badly.
struct Reach {
  double overall = 0;
  double worst = 0;              // of the class with the lowest share
  int worst_class = 0;           // from 1
  std::vector<double> by_class;  // -1 for a class without objects
};
Reach reach(const std::vector<ObjectShape>& objects, const std::vector<FeatureMap>& maps, int classes);
// "86.2 % of the objects (worst: 30.1 % of scratches)"
std::string to_text(const Reach& reach, const std::vector<std::string>& classes);

// Shapes for the cells and numbers of shapes of `stock`, fitted to `objects`: each map may take the shapes of
// about its stock shapes' area from a raster of widths and heights, and the shape that gains most is taken,
// again and again. The gain is an object's largest overlap so far, and 1 more where that is kMatchOverlap or
// more; classes weigh by the square root of their objects. The sum is submodular and each map's number of
// shapes limited, so that greedy choice reaches at least half of what these shapes can (Fisher, Nemhauser &
// Wolsey, Mathematical Programming Study 8, 1978). Looks at an even choice of at most ten thousand objects.
// Equal input gives equal shapes.
std::vector<FeatureMap> fit_default_boxes(const std::vector<ObjectShape>& objects,
                                          const std::vector<FeatureMap>& stock);

}  // namespace tune::trainer::detection
