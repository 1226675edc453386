#include "trainer/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/catch.h"
#include "trainer/metrics/coco_map.h"
#include "tuner/core/rng.h"

using namespace tune::trainer::metrics;

namespace {

struct Set {
  std::vector<TruthBox> truth;
  std::vector<DetectedBox> detections;
};

constexpr int kClasses = 3;
constexpr std::uint32_t kImages = 12;

// Objects, crowds, and detections of which some are right. Scores have few values, so that images tie with
// each other; within an image all differ.
Set random_set(std::uint64_t seed) {
  tune::Rng rng(seed);
  Set set;
  for (std::int64_t image = 0; image < kImages; ++image) {
    double score = 1;
    for (std::uint64_t n = rng.below(6); n > 0; --n) {
      const Box box{rng.uniform() * 100, rng.uniform() * 100, 20 + rng.uniform() * 60,
                    20 + rng.uniform() * 60};
      const int category = static_cast<int>(rng.below(kClasses));
      set.truth.push_back({image, category, box, box.width * box.height, rng.below(8) == 0});
      for (std::uint64_t m = rng.below(4); m > 0; --m) {
        score -= static_cast<double>(1 + rng.below(2)) / 64;
        set.detections.push_back(
            {image, category, {box.x + 10 * rng.uniform(), box.y, box.width, box.height}, score});
      }
    }
  }
  return set;
}

// The same set with every image as often as `counts` says, side by side under new ids.
Set repeated(const Set& set, const std::vector<std::uint32_t>& counts) {
  Set result;
  for (std::uint32_t copy = 0; copy < kImages; ++copy) {
    const auto copy_of = [&](auto box) {
      box.image_id = box.image_id * kImages + copy;
      return box;
    };
    for (const TruthBox& box : set.truth)
      if (copy < counts[static_cast<std::size_t>(box.image_id)]) result.truth.push_back(copy_of(box));
    for (const DetectedBox& box : set.detections)
      if (copy < counts[static_cast<std::size_t>(box.image_id)]) result.detections.push_back(copy_of(box));
  }
  return result;
}

std::vector<JudgedClass> judged(const Set& set) {
  std::vector<std::int64_t> images(kImages);
  std::iota(images.begin(), images.end(), 0);
  return match_detections(set.truth, set.detections, kClasses, images);
}

std::vector<std::vector<std::uint32_t>> each_alone() {
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::uint32_t i = 0; i < kImages; ++i) groups.push_back({i});
  return groups;
}

const auto kQuiet = [](std::size_t) {};

}  // namespace

TEST_CASE("a resample scores exactly like the data set with its images repeated") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Set set = random_set(seed);
    const std::vector<std::vector<JudgedClass>> detectors{judged(set)};
    const ResampledPrecision result = bootstrap(detectors, each_alone(), kImages, 20, seed, kQuiet);
    for (std::size_t n = 0; n < 20; ++n) {
      const Set copy = repeated(set, draw_images(each_alone(), kImages, seed, n));
      const CocoSummary expected = coco_map(copy.truth, copy.detections, kClasses);
      INFO("set " << seed << ", resample " << n);
      CHECK(result.ap[0][n] == expected.ap);
      CHECK(result.ap50[0][n] == expected.ap50);
    }
  }
}

TEST_CASE("every detector sees the same images in a resample") {
  const Set set = random_set(3);
  const std::vector<std::vector<JudgedClass>> detectors{judged(set), judged(random_set(4)), judged(set)};
  const ResampledPrecision result = bootstrap(detectors, each_alone(), kImages, 50, 7, kQuiet);
  CHECK(result.ap[0] == result.ap[2]);
  CHECK(result.ap50[0] == result.ap50[2]);
  CHECK(result.ap[0] != result.ap[1]);
}

TEST_CASE("the images of a group are drawn together, as many groups as there are") {
  const std::vector<std::vector<std::uint32_t>> groups{{0, 3}, {1}, {2, 4, 5}};
  std::vector<std::size_t> draws(groups.size());
  for (std::size_t n = 0; n < 3000; ++n) {
    const std::vector<std::uint32_t> counts = draw_images(groups, 6, 5, n);
    CHECK(counts[0] == counts[3]);
    CHECK((counts[2] == counts[4] && counts[2] == counts[5]));
    REQUIRE(counts[0] + counts[1] + counts[2] == groups.size());
    draws[0] += counts[0], draws[1] += counts[1], draws[2] += counts[2];
  }
  // 9,000 draws of three: a share of one third, its standard deviation 45.
  for (const std::size_t count : draws) CHECK(std::abs(static_cast<double>(count) - 3000) < 5 * 45);
  CHECK(draw_images(groups, 6, 5, 17) == draw_images(groups, 6, 5, 17));
  CHECK(draw_images(each_alone(), kImages, 5, 17) != draw_images(each_alone(), kImages, 6, 17));
}

TEST_CASE(
    "the interval of resamples covers the precision of the whole distribution about as often as it says") {
  // Detectors that find each object with probability 0.7: their precision over endless images is about 0.7.
  int covered = 0;
  constexpr int kTrials = 60;
  for (int trial = 0; trial < kTrials; ++trial) {
    tune::Rng rng(static_cast<std::uint64_t>(trial));
    Set set;
    constexpr std::uint32_t kMany = 80;
    std::vector<std::vector<std::uint32_t>> groups;
    std::vector<std::int64_t> images;
    for (std::uint32_t i = 0; i < kMany; ++i) {
      groups.push_back({i});
      images.push_back(i);
      set.truth.push_back({i, 0, {0, 0, 50, 50}, 2500});
      if (rng.uniform() < 0.7) set.detections.push_back({i, 0, {0, 0, 50, 50}, rng.uniform()});
    }
    const std::vector<std::vector<JudgedClass>> detectors{
        match_detections(set.truth, set.detections, 1, images)};
    const Interval middle = middle_interval(bootstrap(detectors, groups, kMany, 200, 1, kQuiet).ap[0], 0.95);
    if (middle.low <= 0.7 && 0.7 <= middle.high) ++covered;
  }
  CHECK(covered >= 51);  // 57 expected, standard deviation 1.7
}

TEST_CASE("a resample without objects has no precision and drops out of differences") {
  const std::vector<TruthBox> truth{{0, 0, {0, 0, 10, 10}, 100}};
  const std::vector<std::int64_t> images{0, 1};
  const std::vector<std::vector<JudgedClass>> detectors{match_detections(truth, {}, 1, images)};
  const ResampledPrecision result = bootstrap(detectors, {{0}, {1}}, 2, 100, 1, kQuiet);
  const auto undefined = std::count(result.ap[0].begin(), result.ap[0].end(), -1.0);
  CHECK(undefined > 0);
  CHECK(undefined < 100);
  CHECK(differences(result.ap[0], result.ap[0]).size() == 100 - static_cast<std::size_t>(undefined));
}

TEST_CASE("an interval lies between its neighbours as numpy's quantile does") {
  const Interval middle = middle_interval({5, 1, 4, 2, 3}, 0.95);
  CHECK(middle.low == Approx(1.1));
  CHECK(middle.high == Approx(4.9));
  CHECK(middle_interval({2}, 0.5).low == 2);
  CHECK(std::isnan(middle_interval({}, 0.5).high));
}
