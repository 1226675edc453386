#pragma once
// From judged detections to COCO's precision and recall, with each image counted any number of times.
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/metrics/coco_matches.h"

namespace tune::trainer::metrics {

inline constexpr std::size_t kRecalls = 101;  // 0, .01, ..., 1

// One class in one area range. Undefined where no object counts: such a class drops out of every mean.
struct ClassCurves {
  bool defined = false;
  // [kOverlapThresholds][kRecalls], interpolated: the best precision at this recall or above.
  std::array<std::array<double, kRecalls>, kOverlapThresholds.size()> precision{};
  std::array<double, kOverlapThresholds.size()> recall{};  // of all detections together
};

// How often each image is counted, by position; empty: once each.
using ImageCounts = std::span<const std::uint32_t>;

// An image that is counted n times stands for n copies of it side by side; detections of one image and class
// with the very same score stay beside their own copies. `area` indexes kAreaRanges.
// Overwrites `curves`.
void trace_curves(const JudgedClass& judged, std::size_t area, ImageCounts counts, ClassCurves& curves);

// The recall at each threshold with at most `most` detections an image, over all areas, each image once.
std::array<double, kOverlapThresholds.size()> recall_with_at_most(const JudgedClass& judged,
                                                                  std::size_t most);

// Over thresholds first..last, recalls and classes, added in that order as numpy adds; -1 if nothing is
// defined.
double mean_precision(std::span<const ClassCurves> classes, std::size_t first, std::size_t last);
// Over thresholds and classes.
double mean_recall(std::span<const ClassCurves> classes);

}  // namespace tune::trainer::metrics
