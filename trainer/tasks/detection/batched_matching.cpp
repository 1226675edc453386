#include "trainer/tasks/detection/batched_matching.h"

#include "trainer/tasks/detection/batched_boxes.h"

namespace tune::trainer::detection {
namespace {

// `matched` [B, N + 1]: the last column takes what is for no box.
void take_free_boxes(const torch::Tensor& overlaps, torch::Tensor& matched) {
  const std::int64_t images = overlaps.size(0), objects = overlaps.size(1), boxes = overlaps.size(2);
  torch::Tensor left = overlaps.clone();
  for (std::int64_t round = 0; round < objects; ++round) {
    const auto [best, place] = left.view({images, -1}).max(1, /*keepdim=*/true);
    const torch::Tensor object = place.floor_divide(boxes), box = place.remainder(boxes);
    matched.scatter_(1, torch::where(best > 0, box, torch::full_like(box, boxes)), object);
    left.scatter_(1, object.unsqueeze(2).expand({images, 1, boxes}), 0.0);
    left.scatter_(2, box.unsqueeze(2).expand({images, objects, 1}), 0.0);
  }
}

void force_best_boxes(const torch::Tensor& overlaps, const torch::Tensor& is_object, torch::Tensor& matched) {
  const std::int64_t images = overlaps.size(0), boxes = overlaps.size(2);
  const torch::Tensor best = overlaps.argmax(2);
  const torch::Tensor places = torch::where(is_object, best, torch::full_like(best, boxes));
  for (std::int64_t object = 0; object < overlaps.size(1); ++object)
    matched.scatter_(1, places.narrow(1, object, 1), torch::full({images, 1}, object, places.options()));
}

}  // namespace

Targets match_batch(const torch::Tensor& objects, const torch::Tensor& categories,
                    const torch::Tensor& default_boxes, Matching matching) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor is_object = categories > 0;
  const torch::Tensor overlaps =
      pairwise_overlaps(objects, default_boxes).masked_fill(is_object.logical_not().unsqueeze(2), 0.0);
  const auto [best, object] = overlaps.max(1);
  const torch::Tensor nothing = torch::full_like(object, -1);
  torch::Tensor matched =
      torch::cat({torch::where(best >= kMatchOverlap, object, nothing), nothing.narrow(1, 0, 1)}, 1);
  if (matching == Matching::kBipartite)
    take_free_boxes(overlaps, matched);
  else
    force_best_boxes(overlaps, is_object, matched);
  matched = matched.narrow(1, 0, default_boxes.size(0));

  const torch::Tensor background = matched < 0, index = matched.clamp_min(0);
  const torch::Tensor learned = objects.gather(1, index.unsqueeze(2).expand({-1, -1, 4}));
  Targets targets;
  targets.categories = categories.gather(1, index).masked_fill(background, 0);
  targets.offsets = encode_boxes(learned, default_boxes).masked_fill(background.unsqueeze(2), 0.0);
  return targets;
}

}  // namespace tune::trainer::detection
