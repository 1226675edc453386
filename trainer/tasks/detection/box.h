#pragma once
// Boxes as corners, x to the right and y down, in any one unit.
#include <algorithm>

namespace tune::trainer::detection {

struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float width() const { return x2 - x1; }
  float height() const { return y2 - y1; }
  float area() const { return std::max(0.0F, width()) * std::max(0.0F, height()); }
};

// Area of the intersection over area of the union; 0 where both are empty.
inline float intersection_over_union(const Box& a, const Box& b) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const float intersection = width * height;
  const float joined = a.area() + b.area() - intersection;
  return joined > 0 ? intersection / joined : 0;
}

}  // namespace tune::trainer::detection
