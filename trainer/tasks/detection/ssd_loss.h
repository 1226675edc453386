#pragma once
// The loss of SSD (Liu et al., ECCV 2016, section 2.2).
#include "trainer/parallel/team.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

// B images with N default boxes each. Everything lies on the device of the network.
struct Targets {
  torch::Tensor categories;  // int64 [B, N]; 0 is background
  torch::Tensor offsets;     // float [B, N, 4]; only rows of positives count
  // The most boxes with a category in an image, where that is known without asking a device: fewer boxes are
  // then sorted.
  std::optional<std::int64_t> most_in_an_image;
};

struct SsdLoss {
  torch::Tensor cross_entropy, smooth_l1;  // scalars, already divided
  torch::Tensor total() const { return cross_entropy + smooth_l1; }
};

// What the sums over a batch are divided by.
enum class LossDivisor {
  kPositives,  // both by the positives: GluonCV's SSDMultiBoxLoss, torchvision
  kCounted,    // each by the number of its terms: the boxes that count, the coordinates that are off: MXNet
};

inline constexpr std::int64_t kNegativesPerPositive = 3;

// `logits` [B, N, classes + 1] and `offsets` [B, N, 4], computed in fp32 whatever their dtype. The background
// boxes of an image with the largest loss count, three for each positive (none without positives). Smooth L1
// turns from quadratic to linear at 1. A batch without positives has the loss 0. Where a team shares a batch,
// each process has a part of it, and the mean of their losses by the images of each is that of the whole
// batch.
SsdLoss ssd_loss(const torch::Tensor& logits, const torch::Tensor& offsets, const Targets& targets,
                 LossDivisor divisor = LossDivisor::kPositives,
                 const parallel::Team& team = *parallel::alone());

}  // namespace tune::trainer::detection
