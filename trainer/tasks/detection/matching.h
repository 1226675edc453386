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
// The inverse. Sizes are limited to e^largest_log_size times the default box, so that an untrained network
// cannot overflow.
inline constexpr float kLargestLogSize = 4;
Box decode_box(const BoxOffsets& offsets, const Box& default_box, float largest_log_size = kLargestLogSize);

inline constexpr float kMatchOverlap = 0.5F;

// How every object gets a box of its own, however little they overlap.
enum class Matching {
  kBipartite,  // in the order of overlap each object takes the best box that is still free: GluonCV, MXNet
  kForced,     // each object takes its best box, from an earlier object if need be: torchvision
};

// For each default box the index of its object, or -1 for background: objects take boxes as `matching` says,
// and each other box takes the object that it overlaps most, if by at least kMatchOverlap.
std::vector<int> match(const std::vector<Box>& objects, const std::vector<Box>& default_boxes,
                       Matching matching = Matching::kBipartite);

}  // namespace tune::trainer::detection
