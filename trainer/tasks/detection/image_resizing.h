#pragma once
// Images of any shape as detectors of two stages take them: resized by their shorter side, one beside another
// in a batch.
#include <vector>

#include "trainer/data/preprocessing.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

struct ResizedImages {
  torch::Tensor pixels;             // [B, 3, H, W]; 0 to the right of each image and below it
  std::vector<images::Size> sizes;  // of each image in it
};

// `canvas` [B, 3, S, S] has each image in its upper left, of the size that `shown` says. H and W are the
// largest of the batch, rounded up to multiples of 32. Bilinear without antialiasing, as torchvision's
// GeneralizedRCNNTransform, but that an image which would change by less than a pixel stays as it is.
ResizedImages resize_images(const torch::Tensor& canvas, const std::vector<images::Size>& shown,
                            const data::Preprocessing& preprocessing);

}  // namespace tune::trainer::detection
