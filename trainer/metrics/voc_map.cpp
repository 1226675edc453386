#include "trainer/metrics/voc_map.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <unordered_map>

namespace tune::trainer::metrics {
namespace {

// numpy.arange(0, 1.1, .1), bit for bit.
constexpr std::array<double, 11> kElevenPoints = {
    0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6000000000000001, 0.7000000000000001, 0.8, 0.9, 1.0};

constexpr double kLeastOverlap = 0.5;

// Corners are moved before anything else, as the reference does: another order could cross the threshold.
double inclusive_overlap(const Box& a, const Box& b) {
  const double a_right = a.x + a.width + 1, a_bottom = a.y + a.height + 1, b_right = b.x + b.width + 1,
               b_bottom = b.y + b.height + 1;
  const double w = std::min(a_right, b_right) - std::max(a.x, b.x);
  const double h = std::min(a_bottom, b_bottom) - std::max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  const double shared = w * h;
  return shared / ((a_right - a.x) * (a_bottom - a.y) + (b_right - b.x) * (b_bottom - b.y) - shared);
}

struct Object {
  const TruthBox* truth;
  bool taken = false;
};

// The boxes of one class.
struct ClassBoxes {
  std::unordered_map<std::int64_t, std::vector<Object>> objects;  // by image
  std::size_t counted = 0;                                        // objects that can be found or missed
  std::vector<const DetectedBox*> ranked;                         // by falling score, ties in the order given
};

std::vector<ClassBoxes> by_class(std::span<const TruthBox> truth, std::span<const DetectedBox> detections,
                                 int categories) {
  std::vector<ClassBoxes> classes(static_cast<std::size_t>(categories));
  for (const TruthBox& box : truth) {
    ClassBoxes& own = classes[static_cast<std::size_t>(box.category)];
    own.objects[box.image_id].push_back({&box});
    if (!box.difficult && !box.crowd) ++own.counted;
  }
  for (const DetectedBox& detection : detections)
    classes[static_cast<std::size_t>(detection.category)].ranked.push_back(&detection);
  for (ClassBoxes& own : classes)
    std::stable_sort(own.ranked.begin(), own.ranked.end(),
                     [](const DetectedBox* a, const DetectedBox* b) { return a->score > b->score; });
  return classes;
}

struct PrecisionRecall {
  std::vector<double> precision, recall;
};

PrecisionRecall precision_recall(ClassBoxes& boxes) {
  PrecisionRecall curve;
  double hits = 0, seen = 0;
  for (const DetectedBox* detection : boxes.ranked) {
    Object* best = nullptr;
    double overlap = 0;
    if (const auto image = boxes.objects.find(detection->image_id); image != boxes.objects.end())
      for (Object& object : image->second) {
        const double candidate = inclusive_overlap(detection->box, object.truth->box);
        if (!best || candidate > overlap) best = &object, overlap = candidate;
      }
    const bool found = best && overlap >= kLeastOverlap;
    if (found && (best->truth->difficult || best->truth->crowd)) continue;
    if (found && !best->taken) best->taken = true, ++hits;
    ++seen;
    curve.precision.push_back(hits / seen);
    curve.recall.push_back(hits / static_cast<double>(boxes.counted));
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

VocSummary voc_map(std::span<const TruthBox> truth, std::span<const DetectedBox> detections, int categories) {
  double sum07 = 0, sum12 = 0;
  int defined = 0;
  for (ClassBoxes& boxes : by_class(truth, detections, categories)) {
    if (boxes.counted == 0) continue;
    const PrecisionRecall curve = precision_recall(boxes);
    sum07 += eleven_point(curve), sum12 += area_under(curve), ++defined;
  }
  if (defined == 0) return {};
  return {sum07 / defined, sum12 / defined};
}

}  // namespace tune::trainer::metrics
