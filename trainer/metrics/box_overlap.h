#pragma once
// How far two boxes overlap, as COCO measures it.
#include "trainer/metrics/detection_boxes.h"

namespace tune::trainer::metrics {

double area_of(const Box& box);
// The area that both cover; 0 where they are apart.
double intersection(const Box& a, const Box& b);
double intersection_over_union(const Box& a, const Box& b);

}  // namespace tune::trainer::metrics
