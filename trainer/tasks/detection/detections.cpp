#include "trainer/tasks/detection/detections.h"

#include <algorithm>

namespace tune::trainer::detection {
namespace {

struct Candidate {
  std::size_t box, category;
  float score;
};

// Equal scores keep the order of the default boxes, so the result does not depend on the sort.
template <typename Scored>
void keep_best(std::vector<Scored>& boxes, std::size_t count) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  if (boxes.size() > count) boxes.resize(count);
}

// Background apart.
std::size_t best_class(const float* row, std::size_t columns) {
  return static_cast<std::size_t>(std::max_element(row + 1, row + columns) - row);
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
  const std::size_t columns = static_cast<std::size_t>(classes) + 1;
  std::vector<Candidate> candidates;
  for (std::size_t category = 1; category < columns; ++category) {
    std::vector<Candidate> of_class;
    for (std::size_t i = 0; i < default_boxes.size(); ++i) {
      const float* row = probabilities + i * columns;
      if (row[category] <= limits.score) continue;
      if (limits.one_class_per_box && best_class(row, columns) != category) continue;
      of_class.push_back({i, category, row[category]});
    }
    keep_best(of_class, limits.per_class);
    candidates.insert(candidates.end(), of_class.begin(), of_class.end());
  }
  // Within a class the order is by score already, and stays so.
  if (limits.in_total > 0) keep_best(candidates, limits.in_total);

  std::vector<ScoredBox> result;
  for (std::size_t category = 1; category < columns; ++category) {
    std::vector<ScoredBox> boxes;
    for (const Candidate& candidate : candidates) {
      if (candidate.category != category) continue;
      const float* offset = offsets + candidate.box * 4;
      const Box box = clipped(decode_box({offset[0], offset[1], offset[2], offset[3]},
                                         default_boxes[candidate.box], limits.largest_log_size));
      if (box.area() > 0) boxes.push_back({box, static_cast<int>(category), candidate.score});
    }
    for (const std::size_t index : suppress(boxes, limits.overlap)) result.push_back(boxes[index]);
  }
  keep_best(result, limits.per_image);
  return result;
}

}  // namespace tune::trainer::detection
