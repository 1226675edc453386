#pragma once
// Feature pyramids (Lin et al., CVPR 2017) as torchvision's Faster R-CNN has them.
#include <vector>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Maps whose sizes fall by halves become as many of `out` channels, and one more at half the size of the
// last. Under the names of torchvision's FeaturePyramidNetwork, whose extra map is LastLevelMaxPool's.
class FeaturePyramidNetworkImpl : public torch::nn::Module {
 public:
  FeaturePyramidNetworkImpl(const std::vector<std::int64_t>& in, std::int64_t out);
  std::vector<torch::Tensor> forward(const std::vector<torch::Tensor>& maps);

 private:
  std::vector<torch::nn::Conv2d> inner_, layer_;
};
TORCH_MODULE(FeaturePyramidNetwork);

}  // namespace tune::trainer::nn
