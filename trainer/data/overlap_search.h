#pragma once
// Finds the images of a set, or of two, that are shifted crops of the same surface.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

#include "trainer/data/overlap.h"

namespace tune::trainer::data {

struct OverlapSearch {
  std::vector<std::filesystem::path> images;
  // Empty: every pair is compared. Else one number an image, and only pairs with different numbers are.
  std::vector<int> sets;
  int threads = 1;
  std::ostream* notes = nullptr;      // progress, where it is given
  std::function<bool()> interrupted;  // asked several times a second, from any thread; may be empty
};

// Ordered by (first, second), at most one for each pair. It finds shifts that leave at least a fifth of the
// smaller image's area in common, under noise and changes of brightness and contrast, but neither rotations,
// reflections nor changes of scale. The same images give the same result on every number of threads. Images
// of equal bytes overlap without being compared; those that do not decode overlap with nothing. In one set
// the first of equal images stands for all where others overlap with them; between two sets each is in some
// pair.
//
// Results are kept in $XDG_CACHE_HOME/tune (else ~/.cache/tune) under the images' contents, so that the same
// images are compared once on a machine, whatever their folder. A process that finds another at the same
// search waits for its result. A folder that cannot be written only costs the next search its time.
//
// Throws Error(kInterrupted) once `interrupted` says so.
std::vector<Overlap> find_overlaps(const OverlapSearch& search);

// How many pairs that would compare, at most.
std::uint64_t pairs_to_compare(const OverlapSearch& search);

}  // namespace tune::trainer::data
