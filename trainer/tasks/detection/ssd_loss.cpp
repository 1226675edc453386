#include "trainer/tasks/detection/ssd_loss.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "trainer/tasks/detection/shared_counts.h"

namespace tune::trainer::detection {
SsdLoss ssd_loss(const torch::Tensor& logits, const torch::Tensor& offsets, const Targets& targets,
                 LossDivisor divisor, const parallel::Team& team) {
  const std::int64_t boxes = logits.size(1);
  // With the few classes outside, the boxes fill LibTorch's vectors; the other way round it takes several
  // times as long.
  const torch::Tensor by_class = logits.to(torch::kFloat).transpose(1, 2).contiguous();
  const torch::Tensor losses =
      -torch::log_softmax(by_class, 1).gather(1, targets.categories.unsqueeze(1)).squeeze(1);
  const torch::Tensor positive = targets.categories > 0;

  // Nothing here asks a tensor for a number. Positives sort last and never count.
  const std::int64_t most =
      targets.most_in_an_image ? std::min(boxes, kNegativesPerPositive * *targets.most_in_an_image) : boxes;
  const torch::Tensor background = losses.masked_fill(positive, -std::numeric_limits<float>::infinity());
  const torch::Tensor hardest = std::get<0>(background.topk(most, -1));
  const torch::Tensor wanted = positive.sum(-1, /*keepdim=*/true) * kNegativesPerPositive;
  const torch::Tensor rank = torch::arange(most, wanted.options()).unsqueeze(0);
  const torch::Tensor easy = (rank >= wanted).logical_or(hardest.isneginf());
  const torch::Tensor mined = hardest.masked_fill(easy, 0.0);

  const torch::Tensor distances =
      torch::smooth_l1_loss(offsets.to(torch::kFloat), targets.offsets, at::Reduction::None);
  SsdLoss loss;
  loss.cross_entropy = losses.masked_fill(positive.logical_not(), 0.0).sum() + mined.sum();
  if (divisor == LossDivisor::kPositives) {
    const std::vector<torch::Tensor> counts = shared_counts({positive.sum()}, logits.size(0), team);
    const torch::Tensor positives = counts[0].clamp_min(1);
    loss.smooth_l1 = distances.sum(-1).masked_fill(positive.logical_not(), 0.0).sum() / positives * counts[1];
    loss.cross_entropy = loss.cross_entropy / positives * counts[1];
    return loss;
  }
  const torch::Tensor off = distances.masked_fill(positive.logical_not().unsqueeze(-1), 0.0);
  const std::vector<torch::Tensor> counts = shared_counts(
      {positive.sum(), (off.detach() > 0).sum(), easy.logical_not().sum()}, logits.size(0), team);
  loss.smooth_l1 = off.sum() / counts[1].clamp_min(1) * counts[3];
  loss.cross_entropy = loss.cross_entropy / (counts[2] + counts[0].clamp_min(1)) * counts[3];
  return loss;
}

}  // namespace tune::trainer::detection
