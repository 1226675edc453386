#pragma once
// Images that show parts of the same surface, and the groups that they form.
#include <cstddef>
#include <vector>

#include "trainer/data/split.h"

namespace tune::trainer::data {

// Two images that overlap: the pixel (x, y) of the second is (x + dx, y + dy) of the first.
struct Overlap {
  std::size_t first = 0, second = 0;  // indices, first < second
  int dx = 0, dy = 0;                 // pixels
  double correlation = 0;             // of the high-passed overlap, -1 to 1
  double coherence = 0;               // of its phases, -1 to 1: overlap_confirm.h
  double share = 0;                   // of the smaller image's area
};

// Connected components of 0, ..., images - 1 with more than one member, by their smallest. Overlaps are taken
// from the most to the least coherent; one that is not strong (is_strong()) joins no two groups to more than
// the larger of 20 images and a twentieth of all, so that a few false ones cannot chain a set together. A
// strong one always joins.
Groups connected_groups(std::size_t images, const std::vector<Overlap>& overlaps);

// Nearly all overlaps of photographs of one steel surface are strong; the rest shares little.
constexpr double kStrongCoherence = 0.65, kStrongCorrelation = 0.6;
bool is_strong(const Overlap& overlap);

}  // namespace tune::trainer::data
