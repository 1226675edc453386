#include "trainer/metrics/confusion.h"

#include <algorithm>
#include <map>

#include "trainer/metrics/box_overlap.h"

namespace tune::trainer::metrics {
namespace {

struct ImageBoxes {
  std::vector<const TruthBox*> objects, crowds;
  std::vector<const DetectedBox*> detections;
};

std::map<std::int64_t, ImageBoxes> by_image(std::span<const TruthBox> truth,
                                            std::span<const DetectedBox> detections, double score) {
  std::map<std::int64_t, ImageBoxes> images;
  for (const TruthBox& box : truth) {
    ImageBoxes& image = images[box.image_id];
    (box.crowd ? image.crowds : image.objects).push_back(&box);
  }
  for (const DetectedBox& box : detections)
    if (box.score >= score) images[box.image_id].detections.push_back(&box);
  for (auto& [id, image] : images)
    std::stable_sort(image.detections.begin(), image.detections.end(),
                     [](const DetectedBox* a, const DetectedBox* b) { return a->score > b->score; });
  return images;
}

bool is_within_crowd(const Box& box, const ImageBoxes& image, double overlap) {
  return std::any_of(image.crowds.begin(), image.crowds.end(), [&](const TruthBox* crowd) {
    return area_of(box) > 0 && intersection(box, crowd->box) / area_of(box) >= overlap;
  });
}

// The free object that the box overlaps most; the number of objects where there is none.
std::size_t best_free_object(const Box& box, const ImageBoxes& image, const std::vector<bool>& taken,
                             double overlap) {
  std::size_t found = image.objects.size();
  double best = 0;
  for (std::size_t o = 0; o < image.objects.size(); ++o) {
    if (taken[o]) continue;
    const double shared = intersection_over_union(box, image.objects[o]->box);
    if (shared < overlap || shared <= best) continue;
    best = shared;
    found = o;
  }
  return found;
}

void count_image(const ImageBoxes& image, std::size_t background, Confusion& confusion) {
  std::vector<bool> taken(image.objects.size());
  for (const DetectedBox* detection : image.detections) {
    const auto predicted = static_cast<std::size_t>(detection->category);
    const std::size_t object = best_free_object(detection->box, image, taken, confusion.overlap);
    if (object < taken.size()) {
      taken[object] = true;
      ++confusion.counts[static_cast<std::size_t>(image.objects[object]->category)][predicted];
    } else if (!is_within_crowd(detection->box, image, confusion.overlap)) {
      ++confusion.counts[background][predicted];
    }
  }
  for (std::size_t o = 0; o < taken.size(); ++o)
    if (!taken[o]) ++confusion.counts[static_cast<std::size_t>(image.objects[o]->category)][background];
}

}  // namespace

Confusion confusion_of(std::span<const TruthBox> truth, std::span<const DetectedBox> detections,
                       int categories, double score, double overlap) {
  const auto background = static_cast<std::size_t>(categories);
  Confusion confusion{overlap, score, {}};
  confusion.counts.assign(background + 1, std::vector<std::int64_t>(background + 1));
  for (const auto& [id, image] : by_image(truth, detections, score))
    count_image(image, background, confusion);
  return confusion;
}

std::vector<std::int64_t> count_objects(std::span<const TruthBox> truth, int categories) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(categories));
  for (const TruthBox& box : truth)
    if (!box.crowd) ++counts[static_cast<std::size_t>(box.category)];
  return counts;
}

}  // namespace tune::trainer::metrics
