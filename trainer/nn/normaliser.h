#pragma once
// Pixels as a network takes them.
#include <array>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// uint8 [B, H, W, 3] -> float [B, 3, H, W] in channels_last on a device, normalised. Its numbers lie on the
// device from the first, so that no batch waits for a GPU.
class Normaliser {
 public:
  // Per channel, of pixels scaled to [0, 1].
  Normaliser(const std::array<double, 3>& mean, const std::array<double, 3>& deviation,
             const torch::Device& device);
  torch::Tensor operator()(const torch::Tensor& pixels) const;

 private:
  torch::Tensor mean_, scale_;  // [1, 3, 1, 1]
};

}  // namespace tune::trainer::nn
