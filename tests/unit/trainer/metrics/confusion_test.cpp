// Confusion of detections, against cases that were counted by hand.
#include "trainer/metrics/confusion.h"
#include "support/catch.h"

namespace tune::trainer::metrics {
namespace {

using Counts = std::vector<std::vector<std::int64_t>>;

TruthBox object(std::int64_t image, int category, Box box) {
  return {image, category, box, box.width * box.height};
}

DetectedBox found(std::int64_t image, int category, Box box, double score) {
  return {image, category, box, score};
}

constexpr Box kLeft{0, 0, 10, 10}, kRight{20, 0, 10, 10}, kFar{100, 100, 10, 10};

TEST_CASE("objects are found as what they are, as something else, or not at all") {
  // Two images, three classes: 0 is found right, 1 is taken for 2, one object of 2 is missed, and one
  // detection of 0 is where nothing is.
  const std::vector<TruthBox> truth{object(1, 0, kLeft), object(1, 1, kRight), object(2, 2, kLeft)};
  const std::vector<DetectedBox> detections{found(1, 0, kLeft, 0.9), found(1, 2, kRight, 0.8),
                                            found(2, 0, kFar, 0.7)};
  const Confusion confusion = confusion_of(truth, detections, 3);
  CHECK(confusion.overlap == 0.5);
  CHECK(confusion.score == 0.25);
  CHECK(confusion.counts == Counts{{1, 0, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}});
}

TEST_CASE("an object is found once: the surer detection has it, the other one is of nothing") {
  const std::vector<TruthBox> truth{object(1, 0, kLeft)};
  CHECK(confusion_of(truth, std::vector{found(1, 0, kLeft, 0.5), found(1, 1, kLeft, 0.6)}, 2).counts ==
        Counts{{0, 1, 0}, {0, 0, 0}, {1, 0, 0}});
  // The first of equal scores.
  CHECK(confusion_of(truth, std::vector{found(1, 0, kLeft, 0.6), found(1, 1, kLeft, 0.6)}, 2).counts ==
        Counts{{1, 0, 0}, {0, 0, 0}, {0, 1, 0}});
}

TEST_CASE("detections below the score are not looked at, and one at it is") {
  const std::vector<TruthBox> truth{object(1, 0, kLeft)};
  CHECK(confusion_of(truth, std::vector{found(1, 0, kLeft, 0.2499)}, 1).counts == Counts{{0, 1}, {0, 0}});
  CHECK(confusion_of(truth, std::vector{found(1, 0, kLeft, 0.25)}, 1).counts == Counts{{1, 0}, {0, 0}});
}

TEST_CASE("an overlap of exactly a half is enough, and anything less is not") {
  const std::vector<TruthBox> truth{object(1, 0, {0, 0, 10, 10})};
  CHECK(confusion_of(truth, std::vector{found(1, 0, {0, 0, 10, 5}, 1)}, 1).counts == Counts{{1, 0}, {0, 0}});
  CHECK(confusion_of(truth, std::vector{found(1, 0, {0, 0, 10, 4.99}, 1)}, 1).counts ==
        Counts{{0, 1}, {1, 0}});
}

TEST_CASE("a detection takes the free object that it overlaps most, whatever its class") {
  // Shifted by 1 from the first and by 2 from the second: it takes the first, though the second has its
  // class.
  const std::vector<TruthBox> truth{object(1, 0, {0, 0, 10, 10}), object(1, 1, {3, 0, 10, 10})};
  const DetectedBox between = found(1, 1, {1, 0, 10, 10}, 0.9);
  CHECK(confusion_of(truth, std::vector{between}, 2).counts == Counts{{0, 1, 0}, {0, 0, 1}, {0, 0, 0}});
  // With the first one taken by a surer detection it takes the second.
  CHECK(confusion_of(truth, std::vector{between, found(1, 0, {0, 0, 10, 10}, 0.95)}, 2).counts ==
        Counts{{1, 0, 0}, {0, 1, 0}, {0, 0, 0}});
}

TEST_CASE("a crowd is no object, and what lies within it counts nowhere") {
  std::vector<TruthBox> truth{object(1, 0, {0, 0, 50, 50}), object(1, 0, kFar)};
  truth[0].crowd = true;
  CHECK(confusion_of(truth, std::vector{found(1, 0, kLeft, 0.9), found(1, 1, kFar, 0.9)}, 2).counts ==
        Counts{{0, 1, 0}, {0, 0, 0}, {0, 0, 0}});
  CHECK(count_objects(truth, 2) == std::vector<std::int64_t>{1, 0});
}

TEST_CASE("boxes of no area and images without objects or detections are counted too") {
  const std::vector<TruthBox> truth{object(1, 0, kLeft)};
  CHECK(confusion_of({}, std::vector{found(4, 0, {1, 1, 0, 0}, 0.9)}, 1).counts == Counts{{0, 0}, {1, 0}});
  CHECK(confusion_of(truth, {}, 1).counts == Counts{{0, 1}, {0, 0}});
  CHECK(confusion_of({}, {}, 0).counts == Counts{{0}});
}

}  // namespace
}  // namespace tune::trainer::metrics
