#pragma once
// Synthetic images of steel-surface defects: six procedural classes that resemble those of hot-rolled strip.
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/dataset.h"

namespace tune::trainer::synthetic {

// crazing, inclusion, patches, pitted_surface, rolled-in_scale, scratches: category c is steel_classes()[c -
// 1].
const std::vector<std::string>& steel_classes();

struct SteelImage {
  int size = 0;                                 // pixels on a side
  std::vector<std::uint8_t> grey;               // row-major, size * size
  std::vector<detection::GroundTruth> objects;  // one to four, each with a tight box
};

// Image `index` (0, 1, ...) of the set with this seed: a function of its arguments alone. Its first object's
// class is index modulo six.
SteelImage draw_steel_image(int size, std::uint64_t seed, int index);
// The same with objects of that class alone.
SteelImage draw_steel_image_of_one_class(int size, std::uint64_t seed, int index);

}  // namespace tune::trainer::synthetic
