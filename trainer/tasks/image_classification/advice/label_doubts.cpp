#include "trainer/tasks/image_classification/advice/label_doubts.h"

#include <algorithm>
#include <limits>
#include <map>

#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

// [images, images] of cosines, from which an image's own group is taken out.
torch::Tensor similarities(const torch::Tensor& features, std::span<const std::size_t> groups) {
  const torch::Tensor centred = features.to(torch::kFloat) - features.to(torch::kFloat).mean(0, true);
  const torch::Tensor deviation = centred.square().mean(0, true).sqrt();
  const torch::Tensor standard =
      centred / torch::where(deviation > 0, deviation, torch::ones_like(deviation));
  const torch::Tensor unit = standard / standard.norm(2, 1, true).clamp_min(1e-12);
  std::vector<std::int64_t> numbers(groups.begin(), groups.end());
  const torch::Tensor group = torch::tensor(numbers, torch::kLong);
  return unit.mm(unit.t()).masked_fill_(group.unsqueeze(0) == group.unsqueeze(1),
                                        -std::numeric_limits<float>::infinity());
}

}  // namespace

std::vector<LabelDoubt> label_doubts(const torch::Tensor& features, std::span<const int> labels,
                                     std::span<const std::size_t> groups, int neighbours) {
  TUNE_CHECK(features.dim() == 2 && features.size(0) == static_cast<std::int64_t>(labels.size()));
  const torch::NoGradGuard no_grad;
  const auto count = std::min<std::int64_t>(neighbours, features.size(0) - 1);
  if (count < 1) return {};
  const auto [values, indices] = similarities(features, groups).topk(count, 1);
  const auto value = values.accessor<float, 2>();
  const auto index = indices.accessor<std::int64_t, 2>();
  std::vector<LabelDoubt> doubts;
  for (std::size_t image = 0; image < labels.size(); ++image) {
    LabelDoubt doubt{image, labels[image], 0, {}};
    std::map<int, double> votes{{labels[image], 0}};
    double all = 0;
    for (std::int64_t n = 0; n < count; ++n) {
      const double weight = value[static_cast<std::int64_t>(image)][n];
      if (!(weight > 0)) break;  // what is no nearer than chance says nothing; of the own group: -infinity
      const auto other = static_cast<std::size_t>(index[static_cast<std::int64_t>(image)][n]);
      doubt.neighbours.push_back(other);
      votes[labels[other]] += weight;
      all += weight;
    }
    for (const auto& [label, weight] : votes)
      if (weight > votes[doubt.suggested]) doubt.suggested = label;
    if (doubt.suggested == labels[image]) continue;
    doubt.strength = (votes[doubt.suggested] - votes[labels[image]]) / all;
    doubts.push_back(std::move(doubt));
  }
  std::stable_sort(doubts.begin(), doubts.end(),
                   [](const LabelDoubt& a, const LabelDoubt& b) { return a.strength > b.strength; });
  return doubts;
}

}  // namespace tune::trainer::image_classification
