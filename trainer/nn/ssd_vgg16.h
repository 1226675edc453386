#pragma once
// VGG-16 (Simonyan & Zisserman, ICLR 2015) as SSD uses it: the first ten convolutions, then fc6 and fc7 as
// convolutions, fc6 dilated, and further maps (Liu et al., ECCV 2016, section 3). Under the names of
// torchvision's ssd300_vgg16.
#include <vector>

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {

struct VggLayout {
  std::vector<ExtraMap> extras;
  // Added to the sum of squares of a pixel's channels before the root is taken.
  double norm_epsilon = 1e-5;
  bool xavier = false;  // how what VGG-16 itself does not have is initialised: Glorot's way, or He's
};

// conv5 to fc7, from the map of conv4_3 to one of half its size. Named by the places in torchvision's
// sequence of layers.
class VggTopImpl : public torch::nn::Module {
 public:
  VggTopImpl();
  torch::Tensor forward(const torch::Tensor& conv4);

 private:
  std::vector<torch::nn::Conv2d> conv5_;
  torch::nn::Conv2d fc6_{nullptr}, fc7_{nullptr};
};
TORCH_MODULE(VggTop);

class SsdVgg16Impl : public torch::nn::Module {
 public:
  explicit SsdVgg16Impl(const VggLayout& layout);
  // [B, 3, H, W] -> conv4_3 (each pixel's channels scaled to a learned length: Liu et al., ParseNet, 2015),
  // fc7 and the extra maps.
  std::vector<torch::Tensor> forward(const torch::Tensor& images);
  const std::vector<std::int64_t>& channels() const { return channels_; }

 private:
  torch::Tensor scaled(const torch::Tensor& conv4) const;
  void initialize(bool xavier);

  double norm_epsilon_;
  std::vector<std::int64_t> channels_;
  torch::Tensor scale_weight;
  torch::nn::Sequential features{nullptr};
  VggTop top_{nullptr};
  std::vector<torch::nn::Sequential> extras_;
};
TORCH_MODULE(SsdVgg16);

}  // namespace tune::trainer::nn
