#pragma once
// Mixup (Zhang et al., ICLR 2018) and CutMix (Yun et al., ICCV 2019): each image of a batch with its
// neighbour.
#include <cstdint>
#include <vector>

#include "trainer/tasks/classification/training_targets.h"
#include "tuner/core/rng.h"

namespace tune::trainer::image_classification {

// Names of a batch's tensors: uint8 [B, size, size, 3], and the image's own part of the mixture, a scalar.
inline constexpr const char *kPixels = "pixels", *kShare = "share";

struct Mixing {
  double mixup_alpha = 0, cutmix_alpha = 0;  // of Beta(alpha, alpha), which parts are drawn from; 0: none
  bool is_on() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
};

// A number of Beta(alpha, alpha).
double draw_share(double alpha, Rng& rng);

// One draw for a whole batch, as torchvision does it: CutMix or mixup, each half of the time where both are
// on. CutMix pastes a rectangle of the neighbour's pixels; of mixup only the share is noted, since images are
// to be mixed once they are normalised (see mixed()). Targets are mixed here, and so is what examples count.
void mix(const Mixing& mixing, Rng& rng, weights::TensorMap& tensors);

// Normalised images, mixed by a batch's share: without one as they are.
torch::Tensor mixed(const torch::Tensor& images, const weights::TensorMap& tensors);

}  // namespace tune::trainer::image_classification
