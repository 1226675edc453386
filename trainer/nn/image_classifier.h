#pragma once
// What all networks that tell images apart have in common.
#include <memory>

#include "trainer/nn/stages.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// A network in two parts: features, and a head of one layer with parameters (and the dropout before it) that
// makes logits of them. Parameters and buffers have the names of the library that the network comes from:
// torchvision's, timm's for what that lacks. Weights are drawn from LibTorch's default generator as that
// library draws them.
class ImageClassifier : public torch::nn::Module {
 public:
  // Normalised images [B, 3, H, W] -> all that the head looks at, images first: [B, F], for SqueezeNet a map.
  // Random in training mode where the library has it so: EfficientNet passes some blocks by, VGG-16 has a
  // dropout between its linear layers. A part that is in evaluation mode does nothing random.
  virtual torch::Tensor features(const torch::Tensor& images) = 0;
  // -> logits [B, classes], with dropout in training mode.
  virtual torch::Tensor head(const torch::Tensor& features) = 0;
  torch::Tensor forward(const torch::Tensor& images) { return head(features(images)); }
  virtual Stages stages() const = 0;
};

}  // namespace tune::trainer::nn
