#pragma once
// Single-shot detectors (Liu et al., ECCV 2016): a network that makes feature maps, and two heads on each.
#include <functional>

#include "trainer/nn/resnet.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::detection {

struct SsdOutput {
  torch::Tensor logits;   // [B, N, classes + 1], background first
  torch::Tensor offsets;  // [B, N, 4], see matching.h
};

// Maps of strides 8, 16, 32 become as many, all with the same channels, plus one at half the size for each
// further map, by a top-down path (Lin et al., Feature Pyramid Networks, CVPR 2017).
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
  void build(const PyramidNetwork& network, const std::vector<FeatureMap>& maps);
  void build(const VggNetwork& network, const std::vector<FeatureMap>& maps);
  void build(const ResNet50Network& network, const std::vector<FeatureMap>& maps);
  // Never called: those networks are TwoStageModel's.
  void build(const TwoStageNetwork& network, const std::vector<FeatureMap>& maps);
  void build_shared_heads(std::int64_t channels, const std::vector<FeatureMap>& maps);
  void build_heads(const std::vector<std::int64_t>& channels, const std::vector<FeatureMap>& maps);

  std::int64_t classes_;
  std::function<std::vector<torch::Tensor>(const torch::Tensor&)> maps_of_;
  std::vector<torch::nn::Conv2d> classification_, regression_;  // for each map; may be the same one for all
};
TORCH_MODULE(SsdModel);

}  // namespace tune::trainer::detection
