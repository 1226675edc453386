#pragma once
// VGG-16 (Simonyan & Zisserman, ICLR 2015) without batch normalisation, under torchvision's names.
#include <vector>

#include "trainer/nn/image_classifier.h"

namespace tune::trainer::nn {

// The first two linear layers are part of the features, with the dropout between them: "classifier.0" to
// "classifier.4". Stages: between two poolings each, then fc6 and fc7.
class Vgg16 final : public ImageClassifier {
 public:
  Vgg16(std::int64_t classes, double dropout);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override { return stages_; }

 private:
  void initialise();

  double dropout_;
  std::vector<std::vector<torch::nn::Conv2d>> convolutions_;  // after each stage's last a pooling
  torch::nn::Linear fc6_{nullptr}, fc7_{nullptr}, fc8_{nullptr};
  torch::nn::Dropout between_{nullptr};
  Stages stages_;
};

}  // namespace tune::trainer::nn
