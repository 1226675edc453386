#pragma once
// From scores and offsets to a short list of detections.
#include <cstddef>
#include <vector>

#include "trainer/tasks/detection/box.h"
#include "trainer/tasks/detection/matching.h"

namespace tune::trainer::detection {

struct ScoredBox {
  Box box;           // in the unit of the default boxes: fractions of the image
  int category = 0;  // from 1
  float score = 0;   // the class's softmax
};

struct DetectionLimits {
  float score = 0.01F;             // a lower score is no detection
  float overlap = 0.45F;           // of one class, a box that overlaps a better one by more is dropped
  std::size_t per_class = 400;     // the best of each class go into the suppression
  std::size_t in_total = 0;        // and of those the best of all classes together; 0: all
  std::size_t per_image = 100;     // the best of all classes that are kept: COCO looks at no more
  bool one_class_per_box = false;  // a default box is a candidate for its best class alone
  float largest_log_size = kLargestLogSize;
};

// Greedy non-maximum suppression: `boxes` of one class, sorted by falling score -> the indices that stay.
std::vector<std::size_t> suppress(const std::vector<ScoredBox>& boxes, float overlap);

// `probabilities` [boxes x (classes + 1)], background first, and `offsets` [boxes x 4], row-major. Boxes are
// clipped to the image; the result is sorted by falling score.
std::vector<ScoredBox> detect(const float* probabilities, const float* offsets,
                              const std::vector<Box>& default_boxes, int classes,
                              const DetectionLimits& limits);

}  // namespace tune::trainer::detection
