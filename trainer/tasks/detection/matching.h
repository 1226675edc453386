#pragma once
// Which default box learns which object, and how a box is written relative to another (SSD, section 2.2).
#include <array>
#include <vector>

#include "trainer/tasks/detection/box.h"

namespace tune::trainer::detection {

// A box as offsets from a default box: ((cx - dcx) / dw / .1, (cy - dcy) / dh / .1, ln(w / dw) / .2, ln(h /
// dh) / .2).
using BoxOffsets = std::array<float, 4>;
inline constexpr float kCenterVariance = 0.1F, kSizeVariance = 0.2F;

BoxOffsets encode_box(const Box& box, const Box& default_box);
// The inverse. Sizes are limited to e^4 times the default box, so that an untrained network cannot overflow.
Box decode_box(const BoxOffsets& offsets, const Box& default_box);

inline constexpr float kMatchOverlap = 0.5F;

// For each default box the index of its object, or -1 for background. First every object takes, in the order
// of overlap, the best box that is still free, so that each object has one; then each other box takes the
// object that it overlaps most, if by at least kMatchOverlap. (GluonCV's matcher; torchvision's differs where
// two objects want one box.)
std::vector<int> match(const std::vector<Box>& objects, const std::vector<Box>& default_boxes);

}  // namespace tune::trainer::detection
