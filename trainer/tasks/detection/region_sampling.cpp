#include "trainer/tasks/detection/region_sampling.h"

#include <algorithm>

#include "trainer/tasks/detection/batched_boxes.h"

namespace tune::trainer::detection {

MatchedRegions match_regions(const torch::Tensor& boxes, const torch::Tensor& objects,
                             const torch::Tensor& is_object, const RegionMatching& rules) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor overlaps =
      pairwise_overlaps(objects, boxes).masked_fill(is_object.logical_not().unsqueeze(1), -1.0);
  const auto [best, object] = overlaps.max(0);
  torch::Tensor labels = (best >= rules.object).to(torch::kLong) -
                         (best >= rules.background).logical_and(best < rules.object).to(torch::kLong);
  if (rules.forces) {
    const torch::Tensor most = std::get<0>(overlaps.max(1, /*keepdim=*/true));
    const torch::Tensor forced = (overlaps == most).logical_and(is_object.unsqueeze(1)).any(0);
    labels = labels.masked_fill(forced, 1);
  }
  return {object, labels};
}

SampledRegions sample_regions(const torch::Tensor& labels, const torch::Tensor& keys,
                              const RegionSampling& sampling) {
  const torch::NoGradGuard no_grad;
  const std::int64_t boxes = labels.size(0), count = std::min(sampling.count, boxes);
  const auto objects = static_cast<std::int64_t>(static_cast<double>(sampling.count) * sampling.objects);
  const torch::Tensor none = torch::full_like(keys, -1);
  const auto [best, place] = torch::where(labels > 0, keys, none).topk(std::min(objects, boxes));
  // Chosen objects come before all background, so that one choice more takes what is left of the count.
  const torch::Tensor background = torch::where(labels == 0, keys, none);
  const torch::Tensor ranks =
      background.scatter(0, place, torch::where(best >= 0, best + 2, background.gather(0, place)));
  const auto [rank, places] = ranks.topk(count);
  return {places, rank >= 0};
}

torch::Tensor sampling_keys(std::int64_t count, Draw draw, const torch::Device& device) {
  if (draw == Draw::kRandom) return torch::rand({count}, torch::kFloat).to(device);
  // Multiples of the golden section lie evenly, whatever their number.
  constexpr double kGolden = 0.6180339887498949;
  return (torch::arange(count, torch::dtype(torch::kDouble).device(device)) * kGolden)
      .frac()
      .to(torch::kFloat);
}

}  // namespace tune::trainer::detection
