#include "trainer/tasks/detection/default_boxes.h"

#include <cmath>

namespace tune::trainer::detection {

std::vector<Box> default_boxes(const std::vector<FeatureMap>& maps) {
  std::vector<Box> boxes;
  for (const FeatureMap& map : maps) {
    for (int cell = 0; cell < map.cells * map.cells; ++cell) {
      const double center_x = (cell % map.cells + 0.5) / map.cells;
      const double center_y = (cell / map.cells + 0.5) / map.cells;
      for (const Shape& shape : kShapes) {
        const double side = shape.larger ? std::sqrt(map.scale * map.next_scale) : map.scale;
        const double half_width = side * std::sqrt(shape.aspect_ratio) / 2;
        const double half_height = side / std::sqrt(shape.aspect_ratio) / 2;
        boxes.push_back(
            {static_cast<float>(center_x - half_width), static_cast<float>(center_y - half_height),
             static_cast<float>(center_x + half_width), static_cast<float>(center_y + half_height)});
      }
    }
  }
  return boxes;
}

}  // namespace tune::trainer::detection
