#include "trainer/tasks/detection/detections.h"

#include <algorithm>

namespace tune::trainer::detection {
namespace {

// Equal scores keep the order of the default boxes, so the result does not depend on the sort.
void keep_best(std::vector<ScoredBox>& boxes, std::size_t count) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const ScoredBox& a, const ScoredBox& b) { return a.score > b.score; });
  if (boxes.size() > count) boxes.resize(count);
}

Box clipped(const Box& box) {
  const auto clip = [](float value) { return std::clamp(value, 0.0F, 1.0F); };
  return {clip(box.x1), clip(box.y1), clip(box.x2), clip(box.y2)};
}

}  // namespace

std::vector<std::size_t> suppress(const std::vector<ScoredBox>& boxes, float overlap) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const bool stays = std::none_of(kept.begin(), kept.end(), [&](std::size_t better) {
      return intersection_over_union(boxes[better].box, boxes[i].box) > overlap;
    });
    if (stays) kept.push_back(i);
  }
  return kept;
}

std::vector<ScoredBox> detect(const float* probabilities, const float* offsets,
                              const std::vector<Box>& default_boxes, int classes,
                              const DetectionLimits& limits) {
  std::vector<ScoredBox> result;
  const std::size_t columns = static_cast<std::size_t>(classes) + 1;
  for (std::size_t category = 1; category < columns; ++category) {
    struct Candidate {
      std::size_t box;
      float score;
    };
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < default_boxes.size(); ++i)
      if (const float score = probabilities[i * columns + category]; score > limits.score)
        candidates.push_back({i, score});
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    if (candidates.size() > limits.per_class) candidates.resize(limits.per_class);
    std::vector<ScoredBox> boxes;
    for (const Candidate& candidate : candidates) {
      const float* offset = offsets + candidate.box * 4;
      const Box box =
          clipped(decode_box({offset[0], offset[1], offset[2], offset[3]}, default_boxes[candidate.box]));
      if (box.area() > 0) boxes.push_back({box, static_cast<int>(category), candidate.score});
    }
    for (const std::size_t index : suppress(boxes, limits.overlap)) result.push_back(boxes[index]);
  }
  keep_best(result, limits.per_image);
  return result;
}

}  // namespace tune::trainer::detection
