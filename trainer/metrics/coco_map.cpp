#include "trainer/metrics/coco_map.h"

#include "trainer/metrics/coco_curves.h"

namespace tune::trainer::metrics {
namespace {

constexpr std::size_t kLast = kOverlapThresholds.size() - 1, kAt50 = 0, kAt75 = 5;

// [area range][class]
std::array<std::vector<ClassCurves>, kAreaRanges.size()> all_curves(const std::vector<JudgedClass>& classes) {
  std::array<std::vector<ClassCurves>, kAreaRanges.size()> curves;
  for (std::size_t a = 0; a < kAreaRanges.size(); ++a) {
    curves[a].resize(classes.size());
    for (std::size_t c = 0; c < classes.size(); ++c) trace_curves(classes[c], a, {}, curves[a][c]);
  }
  return curves;
}

double recall_at(const std::vector<JudgedClass>& classes, std::vector<ClassCurves> curves, std::size_t most) {
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (curves[c].defined) curves[c].recall = recall_with_at_most(classes[c], most);
  return mean_recall(curves);
}

}  // namespace

CocoSummary summarize(const std::vector<JudgedClass>& classes) {
  const auto curves = all_curves(classes);
  const auto& [all, small, medium, large] = curves;
  CocoSummary summary;
  summary.ap = mean_precision(all, 0, kLast);
  summary.ap50 = mean_precision(all, kAt50, kAt50);
  summary.ap75 = mean_precision(all, kAt75, kAt75);
  summary.ap_small = mean_precision(small, 0, kLast);
  summary.ap_medium = mean_precision(medium, 0, kLast);
  summary.ap_large = mean_precision(large, 0, kLast);
  summary.ar1 = recall_at(classes, all, kMostDetections[0]);
  summary.ar10 = recall_at(classes, all, kMostDetections[1]);
  summary.ar100 = mean_recall(all);
  summary.ar_small = mean_recall(small);
  summary.ar_medium = mean_recall(medium);
  summary.ar_large = mean_recall(large);
  for (const ClassCurves& one : all) {
    summary.class_ap.push_back(mean_precision({&one, 1}, 0, kLast));
    summary.class_ap50.push_back(mean_precision({&one, 1}, kAt50, kAt50));
  }
  return summary;
}

CocoSummary coco_map(std::span<const TruthBox> truth, std::span<const DetectedBox> detections,
                     int categories) {
  return summarize(match_detections(truth, detections, categories, image_ids(truth, detections)));
}

}  // namespace tune::trainer::metrics
