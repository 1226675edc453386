#pragma once
// COCO's mean average precision, bit for bit as pycocotools 2.0 computes it for boxes
// (Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the reference evaluation code).
#include <array>
#include <span>
#include <vector>

#include "trainer/metrics/coco_matches.h"
#include "trainer/metrics/detection_boxes.h"

namespace tune::trainer::metrics {

// All values in [0, 1], or -1 where undefined (no ground truth in that range).
struct CocoSummary {
  double ap = -1, ap50 = -1, ap75 = -1;                 // all areas, 100 detections an image and class
  double ap_small = -1, ap_medium = -1, ap_large = -1;  // area < 32^2, 32^2 to 96^2, > 96^2 pixels
  double ar1 = -1, ar10 = -1, ar100 = -1;               // recall with 1, 10, 100 detections
  double ar_small = -1, ar_medium = -1, ar_large = -1;
  std::vector<double> class_ap, class_ap50;  // [categories]

  std::array<double, 12> numbers() const {
    return {ap, ap50, ap75, ap_small, ap_medium, ap_large, ar1, ar10, ar100, ar_small, ar_medium, ar_large};
  }
};

// The numbers of what match_detections() found, each image counted once.
CocoSummary summarize(const std::vector<JudgedClass>& classes);

// Scores detections against ground truth over `categories` classes. Images are taken in ascending order of
// id, ties of score in the order given. A class without ground truth drops out of the means; one without
// detections counts 0.
CocoSummary coco_map(std::span<const TruthBox> truth, std::span<const DetectedBox> detections,
                     int categories);

}  // namespace tune::trainer::metrics
