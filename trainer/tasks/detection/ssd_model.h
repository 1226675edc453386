#pragma once
// A single-shot detector (Liu et al., ECCV 2016) on a ResNet, with a top-down path between its maps (Lin et
// al., Feature Pyramid Networks, CVPR 2017) and the same two heads on each of them.
#include "trainer/nn/resnet.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

struct SsdOutput {
  torch::Tensor logits;   // [B, N, classes + 1], background first
  torch::Tensor offsets;  // [B, N, 4], see matching.h
};

// Maps of strides 8, 16, 32 become as many, all with the same channels, plus one at half the size for each
// further map.
class FeaturePyramidImpl : public torch::nn::Module {
 public:
  FeaturePyramidImpl(std::array<std::int64_t, 3> in, std::int64_t out, std::size_t maps);
  std::vector<torch::Tensor> forward(const std::array<torch::Tensor, 3>& maps);

 private:
  torch::nn::ModuleList inner_blocks{nullptr}, layer_blocks{nullptr}, extra_blocks{nullptr};
};
TORCH_MODULE(FeaturePyramid);

class SsdModelImpl : public torch::nn::Module {
 public:
  // Weights are drawn from LibTorch's default generator. The memory layout is channels_last.
  SsdModelImpl(const DetectorModel& model, int classes);
  // Normalised images [B, 3, size, size]. N is the number of default_boxes(model.maps), in their order.
  SsdOutput forward(const torch::Tensor& images);

 private:
  void initialize_heads(int classes);

  std::int64_t classes_;
  nn::ResNet backbone{nullptr};
  FeaturePyramid neck{nullptr};
  torch::nn::Conv2d classification_head{nullptr}, regression_head{nullptr};
};
TORCH_MODULE(SsdModel);

// Names of the tensors that depend on the classes begin so.
inline constexpr const char* kClassificationHead = "head.classification_head.";

}  // namespace tune::trainer::detection
