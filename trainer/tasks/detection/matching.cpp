#include "trainer/tasks/detection/matching.h"

#include <algorithm>
#include <cmath>

namespace tune::trainer::detection {
namespace {

// `overlaps` [objects x boxes], row-major.
void take_free_boxes(std::size_t objects, const std::vector<float>& overlaps, std::vector<int>& matched) {
  const std::size_t boxes = matched.size();
  std::vector<bool> object_served(objects, false), box_taken(boxes, false);
  for (std::size_t round = 0; round < objects; ++round) {
    float best = 0;
    std::size_t best_object = objects, best_box = 0;
    for (std::size_t object = 0; object < objects; ++object) {
      if (object_served[object]) continue;
      for (std::size_t i = 0; i < boxes; ++i) {
        const float overlap = overlaps[object * boxes + i];
        if (overlap <= best || box_taken[i]) continue;
        best = overlap;
        best_object = object;
        best_box = i;
      }
    }
    if (best_object == objects) break;  // what is left overlaps no free box
    object_served[best_object] = true;
    box_taken[best_box] = true;
    matched[best_box] = static_cast<int>(best_object);
  }
}

void force_best_boxes(std::size_t objects, const std::vector<float>& overlaps, std::vector<int>& matched) {
  const auto boxes = static_cast<std::ptrdiff_t>(matched.size());
  for (std::size_t object = 0; object < objects; ++object) {
    const auto first = overlaps.begin() + static_cast<std::ptrdiff_t>(object) * boxes;
    matched[static_cast<std::size_t>(std::max_element(first, first + boxes) - first)] =
        static_cast<int>(object);
  }
}

}  // namespace

BoxOffsets encode_box(const Box& box, const Box& default_box) {
  const float width = default_box.width(), height = default_box.height();
  return {((box.x1 + box.x2) - (default_box.x1 + default_box.x2)) / 2 / width / kCenterVariance,
          ((box.y1 + box.y2) - (default_box.y1 + default_box.y2)) / 2 / height / kCenterVariance,
          std::log(box.width() / width) / kSizeVariance, std::log(box.height() / height) / kSizeVariance};
}

Box decode_box(const BoxOffsets& offsets, const Box& default_box, float largest_log_size) {
  const float width = default_box.width(), height = default_box.height();
  const float center_x = (default_box.x1 + default_box.x2) / 2 + offsets[0] * kCenterVariance * width;
  const float center_y = (default_box.y1 + default_box.y2) / 2 + offsets[1] * kCenterVariance * height;
  const float half_width = width * std::exp(std::min(offsets[2] * kSizeVariance, largest_log_size)) / 2;
  const float half_height = height * std::exp(std::min(offsets[3] * kSizeVariance, largest_log_size)) / 2;
  return {center_x - half_width, center_y - half_height, center_x + half_width, center_y + half_height};
}

std::vector<int> match(const std::vector<Box>& objects, const std::vector<Box>& default_boxes,
                       Matching matching) {
  std::vector<int> matched(default_boxes.size(), -1);
  std::vector<float> overlaps(objects.size() * default_boxes.size());
  for (std::size_t i = 0; i < default_boxes.size(); ++i) {
    float best = kMatchOverlap;
    for (std::size_t object = 0; object < objects.size(); ++object) {
      const float overlap = intersection_over_union(objects[object], default_boxes[i]);
      overlaps[object * default_boxes.size() + i] = overlap;
      if (overlap < best) continue;
      if (matched[i] >= 0 && overlap == best) continue;
      best = overlap;
      matched[i] = static_cast<int>(object);
    }
  }
  if (matching == Matching::kBipartite)
    take_free_boxes(objects.size(), overlaps, matched);
  else
    force_best_boxes(objects.size(), overlaps, matched);
  return matched;
}

}  // namespace tune::trainer::detection
