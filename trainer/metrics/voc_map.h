#pragma once
// PASCAL VOC's mean average precision at IoU 0.5 (Everingham et al., "The PASCAL Visual Object Classes
// Challenge", IJCV 2010; the variant of GluonCV's VOCMApMetric).
#include <span>
#include <vector>

#include "trainer/metrics/detection_boxes.h"

namespace tune::trainer::metrics {

struct VocSummary {
  double map07 = -1;  // eleven-point interpolation; [0, 1], -1 without ground truth
  double map12 = -1;  // area under the interpolated curve
};

// VOC counts a box's last pixel: both ends are inclusive there, so widths and heights grow by one. A
// detection takes the object with the largest overlap; if that is already taken it is wrong, even where
// another object overlaps as well. Difficult objects count neither as found nor as missed. Crowd regions are
// treated as difficult.
VocSummary voc_map(std::span<const TruthBox> truth, std::span<const DetectedBox> detections, int categories);

}  // namespace tune::trainer::metrics
