#include "trainer/metrics/voc_map.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>

namespace tune::trainer::metrics {
namespace {

// numpy.arange(0, 1.1, .1), bit for bit.
constexpr std::array<double, 11> kElevenPoints = {
    0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6000000000000001, 0.7000000000000001, 0.8, 0.9, 1.0};

double inclusive_overlap(const Box& a, const Box& b) {
  const double w = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x) + 1;
  const double h = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y) + 1;
  if (w <= 0 || h <= 0) return 0;
  const double shared = w * h;
  return shared / ((a.width + 1) * (a.height + 1) + (b.width + 1) * (b.height + 1) - shared);
}

struct Object {
  const TruthBox* truth;
  bool taken = false;
};

struct PrecisionRecall {
  std::vector<double> precision, recall;
};

PrecisionRecall precision_recall(std::map<std::int64_t, std::vector<Object>>& objects,
                                 const std::vector<const DetectedBox*>& ranked, double threshold,
                                 std::size_t count) {
  PrecisionRecall curve;
  double hits = 0, seen = 0;
  for (const DetectedBox* detection : ranked) {
    Object* best = nullptr;
    double overlap = 0;
    for (Object& object : objects[detection->image_id]) {
      const double candidate = inclusive_overlap(detection->box, object.truth->box);
      if (!best || candidate > overlap) best = &object, overlap = candidate;
    }
    const bool found = best && overlap >= threshold;
    if (found && (best->truth->difficult || best->truth->crowd)) continue;
    if (found && !best->taken) best->taken = true, ++hits;
    ++seen;
    curve.precision.push_back(hits / seen);
    curve.recall.push_back(hits / static_cast<double>(count));
  }
  return curve;
}

double eleven_point(const PrecisionRecall& curve) {
  double sum = 0;
  for (const double point : kElevenPoints) {
    double best = 0;
    for (std::size_t i = 0; i < curve.recall.size(); ++i)
      if (curve.recall[i] >= point) best = std::max(best, curve.precision[i]);
    sum += best / 11;
  }
  return sum;
}

double area_under(PrecisionRecall curve) {
  for (std::size_t i = curve.precision.size(); i-- > 1;)
    curve.precision[i - 1] = std::max(curve.precision[i - 1], curve.precision[i]);
  double sum = 0, before = 0;
  for (std::size_t i = 0; i < curve.recall.size(); ++i) {
    sum += (curve.recall[i] - before) * curve.precision[i];
    before = curve.recall[i];
  }
  return sum;
}

}  // namespace

VocSummary voc_map(std::span<const TruthBox> truth, std::span<const DetectedBox> detections, int categories,
                   double overlap_threshold) {
  double sum07 = 0, sum12 = 0;
  int defined = 0;
  for (int category = 0; category < categories; ++category) {
    std::map<std::int64_t, std::vector<Object>> objects;
    std::size_t count = 0;
    for (const TruthBox& box : truth) {
      if (box.category != category) continue;
      objects[box.image_id].push_back({&box});
      if (!box.difficult && !box.crowd) ++count;
    }
    if (count == 0) continue;
    std::vector<const DetectedBox*> ranked;
    for (const DetectedBox& detection : detections)
      if (detection.category == category) ranked.push_back(&detection);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const DetectedBox* a, const DetectedBox* b) { return a->score > b->score; });
    const PrecisionRecall curve = precision_recall(objects, ranked, overlap_threshold, count);
    sum07 += eleven_point(curve), sum12 += area_under(curve), ++defined;
  }
  if (defined == 0) return {};
  return {sum07 / defined, sum12 / defined};
}

}  // namespace tune::trainer::metrics
