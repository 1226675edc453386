#include "trainer/metrics/box_overlap.h"

#include <algorithm>

namespace tune::trainer::metrics {

double area_of(const Box& box) { return box.width * box.height; }

double intersection(const Box& a, const Box& b) {
  const double w = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double h = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0;
}

double intersection_over_union(const Box& a, const Box& b) {
  const double shared = intersection(a, b);
  return shared > 0 ? shared / (area_of(a) + area_of(b) - shared) : 0;
}

}  // namespace tune::trainer::metrics
