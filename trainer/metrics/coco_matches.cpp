#include "trainer/metrics/coco_matches.h"

#include <algorithm>
#include <numeric>

#include "trainer/metrics/box_overlap.h"

namespace tune::trainer::metrics {
namespace {

constexpr std::size_t kThresholds = kOverlapThresholds.size();
constexpr std::size_t kNone = ~std::size_t{0};

bool outside(double area, const AreaRange& range) { return area < range.low || area > range.high; }

double overlap_of(const Box& detected, const TruthBox& object) {
  if (!object.crowd) return intersection_over_union(detected, object.box);
  // A crowd region may hold many objects, so only the detection's own area counts.
  const double shared = intersection(detected, object.box);
  return shared > 0 ? shared / area_of(detected) : 0;
}

// A box of one class, and where its image stands.
template <typename BoxType>
struct Placed {
  std::uint32_t image;
  const BoxType* box;
};

template <typename BoxType>
std::vector<std::vector<Placed<BoxType>>> by_class(std::span<const BoxType> boxes, int categories,
                                                   std::span<const std::int64_t> images) {
  std::vector<std::vector<Placed<BoxType>>> classes(static_cast<std::size_t>(categories));
  for (const BoxType& box : boxes) {
    const auto position = std::lower_bound(images.begin(), images.end(), box.image_id) - images.begin();
    classes[static_cast<std::size_t>(box.category)].push_back({static_cast<std::uint32_t>(position), &box});
  }
  return classes;
}

using PlacedTruth = std::span<const Placed<TruthBox>>;
using PlacedDetections = std::span<const Placed<DetectedBox>>;

// Matches the detections of one image and class, by falling score, with its objects. Reused from cell to
// cell for its memory.
class CellMatcher {
 public:
  void match(PlacedTruth truth, PlacedDetections detections, std::span<JudgedDetection> judged) {
    truth_ = truth;
    detections_ = detections;
    measure_overlaps();
    for (std::size_t a = 0; a < kAreaRanges.size(); ++a) match_in(a, judged);
  }

 private:
  void measure_overlaps() {
    overlaps_.clear();
    largest_.assign(detections_.size(), 0);
    for (std::size_t d = 0; d < detections_.size(); ++d)
      for (const auto& object : truth_) {
        overlaps_.push_back(overlap_of(detections_[d].box->box, *object.box));
        largest_[d] = std::max(largest_[d], overlaps_.back());
      }
  }

  void match_in(std::size_t area, std::span<JudgedDetection> judged) {
    const AreaRange& range = kAreaRanges[area];
    order_.resize(truth_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    counted_ = static_cast<std::size_t>(std::stable_partition(order_.begin(), order_.end(),
                                                              [&](std::size_t g) {
                                                                return !truth_[g].box->crowd &&
                                                                       !outside(truth_[g].box->area, range);
                                                              }) -
                                        order_.begin());
    for (std::size_t d = 0; d < judged.size(); ++d) {
      const Box& box = detections_[d].box->box;
      judged[d].right[area] = 0;
      judged[d].ignored[area] = outside(box.width * box.height, range) ? kEveryThreshold : ThresholdBits{0};
    }
    for (std::size_t t = 0; t < kThresholds; ++t) {
      taken_.assign(truth_.size(), 0);
      for (std::size_t d = 0; d < judged.size(); ++d) {
        if (const std::size_t found = best_object(d, kOverlapThresholds[t]); found != kNone)
          note(found, ThresholdBits(1U << t), judged[d].right[area], judged[d].ignored[area]);
      }
    }
  }

  // The position in order_ of the object that the detection takes.
  std::size_t best_object(std::size_t d, double threshold) const {
    double best = std::min(threshold, 1 - 1e-10);
    std::size_t found = kNone;
    if (largest_[d] < best) return found;
    for (std::size_t o = 0; o < order_.size(); ++o) {
      const std::size_t g = order_[o];
      if (taken_[g] && !truth_[g].box->crowd) continue;
      // A real object is held and only ignored ones are left: no crowd may take the detection away.
      if (found < counted_ && o >= counted_) break;
      // On equal overlap the later object wins.
      if (overlaps_[d * truth_.size() + g] < best) continue;
      best = overlaps_[d * truth_.size() + g];
      found = o;
    }
    return found;
  }

  void note(std::size_t found, ThresholdBits bit, ThresholdBits& right, ThresholdBits& ignored) {
    taken_[order_[found]] = 1;
    const bool counts = found < counted_;
    // The reference takes the id 0 for "no match": the detection is then judged by its own area.
    if (truth_[order_[found]].box->id_is_zero) {
      if (!counts) ignored |= bit;
      return;
    }
    if (counts) {
      right |= bit;
      ignored = static_cast<ThresholdBits>(ignored & ~bit);
    } else {
      ignored |= bit;
    }
  }

  PlacedTruth truth_;
  PlacedDetections detections_;
  std::vector<double> overlaps_;  // [detections, truth]
  std::vector<double> largest_;   // [detections]
  std::vector<std::size_t> order_;
  std::vector<char> taken_;
  std::size_t counted_ = 0;
};

JudgedClass::ObjectCount count_objects(PlacedTruth truth) {
  JudgedClass::ObjectCount count{truth.front().image, {}};
  for (const auto& object : truth)
    for (std::size_t a = 0; a < kAreaRanges.size(); ++a)
      if (!object.box->crowd && !outside(object.box->area, kAreaRanges[a])) ++count.objects[a];
  return count;
}

// The boxes of the first image.
template <typename BoxType>
std::span<const Placed<BoxType>> run_of_image(std::span<const Placed<BoxType>> boxes) {
  const auto end =
      std::find_if(boxes.begin(), boxes.end(), [&](const auto& b) { return b.image != boxes.front().image; });
  return boxes.first(static_cast<std::size_t>(end - boxes.begin()));
}

JudgedClass judge_class(std::vector<Placed<TruthBox>>& truth, std::vector<Placed<DetectedBox>>& detections,
                        CellMatcher& matcher) {
  std::stable_sort(truth.begin(), truth.end(),
                   [](const auto& a, const auto& b) { return a.image < b.image; });
  std::stable_sort(detections.begin(), detections.end(), [](const auto& a, const auto& b) {
    return a.image != b.image ? a.image < b.image : a.box->score > b.box->score;
  });
  JudgedClass result;
  PlacedTruth objects_left = truth;
  PlacedDetections left = detections;
  while (!left.empty() || !objects_left.empty()) {
    const std::uint32_t image = left.empty() ? objects_left.front().image
                                : objects_left.empty()
                                    ? left.front().image
                                    : std::min(left.front().image, objects_left.front().image);
    PlacedTruth objects;
    if (!objects_left.empty() && objects_left.front().image == image) {
      objects = run_of_image(objects_left);
      objects_left = objects_left.subspan(objects.size());
      result.objects.push_back(count_objects(objects));
    }
    if (left.empty() || left.front().image != image) continue;
    PlacedDetections found = run_of_image(left);
    left = left.subspan(found.size());
    found = found.first(std::min(found.size(), kMostDetections.back()));
    const std::size_t first = result.detections.size();
    for (std::size_t d = 0; d < found.size(); ++d)
      result.detections.push_back({image, static_cast<std::uint32_t>(d), found[d].box->score, {}, {}});
    matcher.match(objects, found, std::span(result.detections).subspan(first));
  }
  std::stable_sort(result.detections.begin(), result.detections.end(),
                   [](const JudgedDetection& a, const JudgedDetection& b) { return a.score > b.score; });
  return result;
}

}  // namespace

std::vector<std::int64_t> image_ids(std::span<const TruthBox> truth,
                                    std::span<const DetectedBox> detections) {
  std::vector<std::int64_t> ids;
  for (const TruthBox& object : truth) ids.push_back(object.image_id);
  for (const DetectedBox& detection : detections) ids.push_back(detection.image_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<JudgedClass> match_detections(std::span<const TruthBox> truth,
                                          std::span<const DetectedBox> detections, int categories,
                                          std::span<const std::int64_t> images) {
  auto objects = by_class(truth, categories, images);
  auto found = by_class(detections, categories, images);
  CellMatcher matcher;
  std::vector<JudgedClass> classes;
  for (std::size_t c = 0; c < objects.size(); ++c)
    classes.push_back(judge_class(objects[c], found[c], matcher));
  return classes;
}

}  // namespace tune::trainer::metrics
