#include "trainer/nn/resnet_classifier.h"

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

constexpr std::int64_t kResNetChannels = 64;  // torchvision's

}  // namespace

ResNetClassifier::ResNetClassifier(std::array<int, 4> blocks, ResNetBlock block, std::int64_t classes,
                                   double dropout)
    : dropout_(dropout), body_(blocks, kResNetChannels, block) {
  for (const auto& part : body_->named_children()) register_module(part.key(), part.value());
  fc = register_module("fc", torch::nn::Linear(body_->channels().back(), classes));
  to_channels_last(*this);
}

torch::Tensor ResNetClassifier::features(const torch::Tensor& images) {
  return body_(images).back().mean({2, 3});
}

torch::Tensor ResNetClassifier::head(const torch::Tensor& features) {
  return fc(torch::dropout(features, dropout_, is_training()));
}

Stages ResNetClassifier::stages() const {
  return {{{"stem", {"conv1.", "bn1."}},
           {"layer1", {"layer1."}},
           {"layer2", {"layer2."}},
           {"layer3", {"layer3."}},
           {"layer4", {"layer4."}}},
          {"fc."}};
}

}  // namespace tune::trainer::nn
