#pragma once
// Which class detections take objects for, at one overlap and one score: a confusion matrix for detection, as
// Ultralytics' and Detectron's users read it. Average precision says how good a detector is over all scores;
// this says what it mixes up at the one that somebody would use.
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/metrics/detection_boxes.h"

namespace tune::trainer::metrics {

inline constexpr double kConfusionOverlap = 0.5, kConfusionScore = 0.25;

struct Confusion {
  double overlap = 0, score = 0;  // that were asked for
  // [classes + 1][classes + 1]: rows are true classes, columns predicted ones. The last column counts objects
  // that no detection found, the last row detections of nothing; [classes][classes] is 0, since nobody counts
  // the background.
  std::vector<std::vector<std::int64_t>> counts;
};

// In each image the detections with at least `score` choose by falling score, ties in the order given: each
// takes, of the objects that are still free, the one that it overlaps most, whatever its class, when their
// intersection over union is at least `overlap`; on equal overlap the earlier object. So an object has one
// detection at most, and a second one of it counts as one of nothing. Crowd regions are no objects, and a
// detection that found none and has at least `overlap` of its own area within one is left out. Difficult
// objects count as all others, as in COCO's numbers.
Confusion confusion_of(std::span<const TruthBox> truth, std::span<const DetectedBox> detections,
                       int categories, double score = kConfusionScore, double overlap = kConfusionOverlap);

// The objects of each class that count: crowd regions do not.
std::vector<std::int64_t> count_objects(std::span<const TruthBox> truth, int categories);

}  // namespace tune::trainer::metrics
