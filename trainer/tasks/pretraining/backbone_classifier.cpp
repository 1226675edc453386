#include "trainer/tasks/pretraining/backbone_classifier.h"

#include "trainer/nn/resnet.h"
#include "trainer/tasks/detection/weight_names.h"
#include "tuner/core/error.h"

namespace tune::trainer::pretraining {

BackboneClassifierImpl::BackboneClassifierImpl(const detection::DetectorModel& model, std::int64_t classes) {
  const std::int64_t channels =
      std::visit([&](const auto& network) { return build(network); }, model.network);
  fc_ = register_module("fc", torch::nn::Linear(channels, classes));
  torch::nn::init::normal_(fc_->weight, 0.0, 0.01);
  torch::nn::init::zeros_(fc_->bias);
  nn::to_channels_last(*this);
}

std::int64_t BackboneClassifierImpl::build(const detection::PyramidNetwork& network) {
  nn::ResNet backbone = register_module("backbone", nn::ResNet(network.blocks, network.base_channels));
  deepest_map_ = [backbone](const torch::Tensor& images) mutable { return backbone(images).back(); };
  return backbone->channels().back();
}

std::int64_t BackboneClassifierImpl::build(const detection::ResNet50Network&) {
  nn::ResNet backbone = register_module("backbone", nn::make_resnet50());
  deepest_map_ = [backbone](const torch::Tensor& images) mutable { return backbone(images).back(); };
  return backbone->channels().back();
}

std::int64_t BackboneClassifierImpl::build(const detection::TwoStageNetwork& network) {
  nn::ResNet backbone =
      register_module("backbone", nn::ResNet(network.blocks, network.base_channels, network.block));
  deepest_map_ = [backbone](const torch::Tensor& images) mutable { return backbone(images).back(); };
  return backbone->channels().back();
}

std::int64_t BackboneClassifierImpl::build(const detection::VggNetwork& network) {
  nn::VggLayout layout = network;
  layout.extras.clear();  // torchvision's VGG-16 has none, and their maps are but a few pixels
  nn::SsdVgg16 backbone = register_module("backbone", nn::SsdVgg16(layout));
  deepest_map_ = [backbone](const torch::Tensor& images) mutable { return backbone(images).back(); };
  return backbone->channels().back();
}

torch::Tensor BackboneClassifierImpl::forward(const torch::Tensor& images) {
  return fc_(deepest_map_(images).mean({2, 3}));
}

weights::TensorMap backbone_weights(const weights::TensorMap& classifier,
                                    const detection::DetectorModel& model) {
  const torch::NoGradGuard no_grad;
  weights::TensorMap backbone;
  for (const auto& [name, tensor] : classifier)
    if (name.starts_with(detection::kBackbone)) backbone[name.substr(detection::kBackbone.size())] = tensor;
  weights::TensorMap named = detection::with_torchvision_names(backbone, model);
  const auto first =
      named.contains("conv1.weight") ? named.find("conv1.weight") : named.find("features.0.weight");
  TUNE_CHECK(first != named.end() && first->second.size(1) == 3, "a backbone begins with a convolution");
  if (model.preprocessing.std == kDeviation) return named;
  std::array<float, 3> factors{};
  for (std::size_t i = 0; i < factors.size(); ++i)
    factors[i] = static_cast<float>(model.preprocessing.std[i] / kDeviation[i]);
  first->second = first->second * torch::tensor(at::ArrayRef<float>(factors)).view({1, 3, 1, 1});
  return named;
}

}  // namespace tune::trainer::pretraining
