#pragma once
// detect() for a batch, in operations of a device.
#include "trainer/tasks/detection/detections.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

// `probabilities` float [B, N, classes + 1], background first; `offsets` float [B, N, 4]; `default_boxes`
// float [N, 4] on the same device -> the detections of each image, on the CPU, by falling score. Suppression
// is not one box after another but in rounds over all of a class at once: a box stays where none that stayed
// in the round before and is better overlaps it. What a round says of the first k boxes is final after k
// rounds, so once a round changes nothing the result is that of suppress(); few rounds do, since few boxes
// hang on one another.
std::vector<std::vector<ScoredBox>> detect_batch(const torch::Tensor& probabilities,
                                                 const torch::Tensor& offsets,
                                                 const torch::Tensor& default_boxes,
                                                 const DetectionLimits& limits);

// The suppression of that alone: of boxes [B, ..., K, 4] by falling score, those that count and that no
// better one suppresses, bool [B, ..., K].
torch::Tensor not_suppressed(const torch::Tensor& boxes, const torch::Tensor& counts, float overlap);

}  // namespace tune::trainer::detection
