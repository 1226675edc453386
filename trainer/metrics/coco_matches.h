#pragma once
// COCO's matching of detections with objects, done once for every overlap threshold and area range. What it
// finds does not depend on which images are counted how often, so resamples of the images need no matching.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/metrics/detection_boxes.h"

namespace tune::trainer::metrics {

// numpy.linspace(.5, .95, 10): .5 + i * .05 differs in the last bit at .85 and .9.
inline constexpr std::array<double, 10> kOverlapThresholds = {
    0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95};
inline constexpr std::array<std::size_t, 3> kMostDetections = {1, 10, 100};

struct AreaRange {
  double low, high;  // both ends inclusive
};
// All, small, medium, large.
inline constexpr std::array<AreaRange, 4> kAreaRanges = {
    {{0, 1e10}, {0, 32.0 * 32}, {32.0 * 32, 96.0 * 96}, {96.0 * 96, 1e10}}};

// One bit for each overlap threshold, the lowest bit for the lowest threshold.
using ThresholdBits = std::uint16_t;
inline constexpr ThresholdBits kEveryThreshold = (1U << kOverlapThresholds.size()) - 1;

struct JudgedDetection {
  std::uint32_t image;  // position among the images
  std::uint32_t rank;   // by score among those of its image and class, from 0
  double score;
  // In each area range: at which thresholds it is right, and at which it counts neither as right nor as
  // wrong.
  std::array<ThresholdBits, kAreaRanges.size()> right, ignored;
};

struct JudgedClass {
  std::vector<JudgedDetection> detections;  // by falling score; equal scores in the order of the images
  struct ObjectCount {
    std::uint32_t image;
    std::array<std::uint32_t, kAreaRanges.size()> objects;  // that count in each area range
  };
  std::vector<ObjectCount> objects;  // of the images that hold any, ascending
};

// Every id that occurs, ascending.
std::vector<std::int64_t> image_ids(std::span<const TruthBox> truth, std::span<const DetectedBox> detections);

// Matches over `categories` classes. `images` are ascending and hold every image_id that occurs. Bit for bit
// pycocotools': at most 100 detections an image and class, ties of score in the order given, on equal overlap
// the later object wins.
std::vector<JudgedClass> match_detections(std::span<const TruthBox> truth,
                                          std::span<const DetectedBox> detections, int categories,
                                          std::span<const std::int64_t> images);

}  // namespace tune::trainer::metrics
