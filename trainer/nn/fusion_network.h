#pragma once
// One map out of all stages of a ResNet: the multilevel-feature fusion network (He et al., An End-to-End
// Steel Surface Defect Detection Approach via Fusing Multiple Hierarchical Features, IEEE TIM 69(4), 2020).
#include "trainer/nn/resnet.h"

namespace tune::trainer::nn {

// As the authors of a published implementation wrote it, under its names: "backbone" is the ResNet, and "b2",
// "b4" and "b5" bring its layers 1, 3 and 4 to stride 16; layer 2 is pooled.
class FusionNetworkImpl : public torch::nn::Module {
 public:
  FusionNetworkImpl(std::array<int, 4> blocks, std::int64_t base_channels, ResNetBlock block);
  // [B, 3, H, W], sides that 32 divides -> [B, channels(), H / 16, W / 16].
  torch::Tensor forward(const torch::Tensor& images);
  std::int64_t channels() const { return channels_; }

 private:
  ResNet backbone_{nullptr};
  torch::nn::Sequential b2_{nullptr}, b4_{nullptr}, b5_{nullptr};
  std::int64_t channels_;
};
TORCH_MODULE(FusionNetwork);

}  // namespace tune::trainer::nn
