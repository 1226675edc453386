#pragma once
// A paired bootstrap of COCO's average precision over groups of images (Efron & Tibshirani, "An Introduction
// to the Bootstrap", 1993, chapter 6; groups because the crops of one surface are not independent).
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "trainer/metrics/coco_matches.h"

namespace tune::trainer::metrics {

// How often each image is counted in one resample: as many groups as there are, drawn with replacement, with
// all their images. Group g is `groups[g]`, positions of images. The same seed, resample and groups give the
// same counts on every machine.
std::vector<std::uint32_t> draw_images(const std::vector<std::vector<std::uint32_t>>& groups,
                                       std::size_t images, std::uint64_t seed, std::size_t resample);

struct ResampledPrecision {
  // [detectors][resamples], in [0, 1]; -1 where a resample holds no object.
  std::vector<std::vector<double>> ap, ap50;
};

// Every detector is scored on the same images in each resample. `detectors` hold what match_detections()
// found over the same `images`. `done` hears how many resamples are finished, in this thread.
ResampledPrecision bootstrap(std::span<const std::vector<JudgedClass>> detectors,
                             const std::vector<std::vector<std::uint32_t>>& groups, std::size_t images,
                             std::size_t resamples, std::uint64_t seed,
                             const std::function<void(std::size_t done)>& done);

struct Interval {
  double low = 0, high = 0;
};

// Where the middle `share` of the numbers lie, between neighbours linearly (numpy.quantile's default). Throws
// nothing; {NaN, NaN} without numbers.
Interval middle_interval(std::vector<double> numbers, double share);

// a[i] - b[i] where both are defined.
std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace tune::trainer::metrics
