#pragma once
// box.h and matching.h for tensors of boxes, whose last dimension has the four corners.
#include <vector>

#include "trainer/tasks/detection/box.h"
#include "trainer/tasks/detection/matching.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

torch::Tensor boxes_tensor(const std::vector<Box>& boxes);  // float [N, 4] on the CPU

torch::Tensor box_areas(const torch::Tensor& boxes);  // [...]
// intersection_over_union() of each box [..., M, 4] with each of [..., N, 4]: [..., M, N].
torch::Tensor pairwise_overlaps(const torch::Tensor& boxes, const torch::Tensor& others);
// What offsets of a box's centre and of its size are divided by: SSD's, unless others are named.
struct OffsetUnits {
  float center = kCenterVariance, size = kSizeVariance;
};
// encode_box() and decode_box(), each box with the default box at its place.
torch::Tensor encode_boxes(const torch::Tensor& boxes, const torch::Tensor& default_boxes,
                           const OffsetUnits& units = {});
torch::Tensor decode_boxes(const torch::Tensor& offsets, const torch::Tensor& default_boxes,
                           float largest_log_size, const OffsetUnits& units = {});

}  // namespace tune::trainer::detection
