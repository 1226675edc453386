#include "trainer/tasks/detection/batched_detections.h"

#include <algorithm>

#include "trainer/tasks/detection/batched_boxes.h"

namespace tune::trainer::detection {
namespace {

constexpr std::int64_t kMostOverlaps = std::int64_t{1} << 27;  // at once: half a gigabyte

// Candidates of each class, by falling score: K of them, of which some may count for nothing.
struct Candidates {
  torch::Tensor scores;   // [B, C, K]; -1 for what is no candidate
  torch::Tensor indices;  // int64 [B, C, K], of the default boxes
};

Candidates best_of_each_class(const torch::Tensor& probabilities, const DetectionLimits& limits) {
  const torch::Tensor by_class = probabilities.narrow(2, 1, probabilities.size(2) - 1);
  torch::Tensor counts = by_class > limits.score;
  if (limits.one_class_per_box) {
    const torch::Tensor best = by_class.argmax(2, /*keepdim=*/true);
    counts = counts.logical_and(torch::arange(by_class.size(2), best.options()) == best);
  }
  const torch::Tensor scores = torch::where(counts, by_class, torch::full_like(by_class, -1)).transpose(1, 2);
  // Equal scores keep the order of the default boxes.
  const auto [sorted, order] = scores.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);
  const std::int64_t kept = std::min(scores.size(2), static_cast<std::int64_t>(limits.per_class));
  return {sorted.narrow(2, 0, kept), order.narrow(2, 0, kept)};
}

// [B, n] places of the best of all classes together.
torch::Tensor best_places(const torch::Tensor& scores, std::size_t count) {
  const torch::Tensor flat = scores.reshape({scores.size(0), -1});
  const torch::Tensor order = std::get<1>(flat.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true));
  return order.narrow(1, 0, std::min(flat.size(1), static_cast<std::int64_t>(count)));
}

void drop_all_but_best(torch::Tensor& scores, std::size_t count) {
  const torch::Tensor places = best_places(scores, count);
  const torch::Tensor flat = scores.reshape({scores.size(0), -1});
  scores = torch::full_like(flat, -1).scatter(1, places, flat.gather(1, places)).view(scores.sizes());
}

// not_suppressed() of all at once.
torch::Tensor not_suppressed_in_rounds(const torch::Tensor& boxes, const torch::Tensor& counts,
                                       float overlap) {
  const torch::Tensor overlaps = pairwise_overlaps(boxes, boxes);  // [..., K, K]
  const torch::Tensor by_better = (overlaps > overlap).tril(/*diagonal=*/-1);
  torch::Tensor stays = counts;
  for (;;) {
    const torch::Tensor next =
        counts.logical_and(by_better.logical_and(stays.unsqueeze(-2)).any(-1).logical_not());
    if (next.equal(stays)) return stays;
    stays = next;
  }
}

}  // namespace

torch::Tensor not_suppressed(const torch::Tensor& boxes, const torch::Tensor& counts, float overlap) {
  const std::int64_t images = counts.size(0), count = counts.size(-1);
  const std::int64_t of_image = images == 0 ? 1 : counts.numel() / images * count;
  const std::int64_t at_once = std::max<std::int64_t>(1, kMostOverlaps / std::max<std::int64_t>(1, of_image));
  std::vector<torch::Tensor> parts;
  for (std::int64_t first = 0; first < images; first += at_once) {
    const std::int64_t part = std::min(at_once, images - first);
    parts.push_back(
        not_suppressed_in_rounds(boxes.narrow(0, first, part), counts.narrow(0, first, part), overlap));
  }
  return torch::cat(parts);
}

std::vector<std::vector<ScoredBox>> detect_batch(const torch::Tensor& probabilities,
                                                 const torch::Tensor& offsets,
                                                 const torch::Tensor& default_boxes,
                                                 const DetectionLimits& limits) {
  auto [scores, indices] = best_of_each_class(probabilities, limits);
  if (limits.in_total > 0) drop_all_but_best(scores, limits.in_total);
  const std::int64_t images = scores.size(0), classes = scores.size(1), count = scores.size(2);

  const torch::Tensor flat = indices.reshape({images, -1, 1}).expand({-1, -1, 4});
  const torch::Tensor boxes =
      decode_boxes(offsets.gather(1, flat), default_boxes.unsqueeze(0).expand_as(offsets).gather(1, flat),
                   limits.largest_log_size)
          .clamp(0, 1)
          .view({images, classes, count, 4});
  const torch::Tensor counts = (scores > limits.score).logical_and(box_areas(boxes) > 0);
  scores = scores.masked_fill(not_suppressed(boxes, counts, limits.overlap).logical_not(), -1);

  const torch::Tensor places = best_places(scores, limits.per_image);
  const auto of_places = [&](const torch::Tensor& values) { return values.gather(1, places); };
  // [B, kept, 6]: score, category, corners.
  torch::Tensor rows =
      torch::cat({of_places(scores.view({images, -1})).unsqueeze(2),
                  (places.floor_divide(count) + 1).to(torch::kFloat).unsqueeze(2),
                  boxes.view({images, -1, 4}).gather(1, places.unsqueeze(2).expand({-1, -1, 4}))},
                 2);
  rows = rows.cpu().contiguous();
  std::vector<std::vector<ScoredBox>> found(static_cast<std::size_t>(images));
  for (std::int64_t image = 0; image < images; ++image) {
    const float* row = rows[image].data_ptr<float>();
    for (std::int64_t i = 0; i < rows.size(1) && row[0] >= 0; ++i, row += 6)
      found[static_cast<std::size_t>(image)].push_back(
          {{row[2], row[3], row[4], row[5]}, static_cast<int>(row[1]), row[0]});
  }
  return found;
}

}  // namespace tune::trainer::detection
