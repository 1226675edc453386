#include "trainer/nn/mobilenet_v2.h"

#include "trainer/nn/conv_norm_activation.h"
#include "trainer/nn/feature_stages.h"
#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

constexpr std::int64_t kV2Stem = 32, kV2Features = 1280;

// The first form of the inverted residual: its last convolution and normalisation stand by themselves.
class MobileNetV2BlockImpl : public torch::nn::Module {
 public:
  MobileNetV2BlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride, std::int64_t expansion)
      : has_shortcut_(stride == 1 && in == out) {
    const std::int64_t hidden = in * expansion;
    conv = register_module("conv", torch::nn::Sequential());
    if (expansion != 1)
      conv->push_back(
          ConvNormActivation(ConvNormOptions{.in = in, .out = hidden, .activation = Activation::kRelu6}));
    conv->push_back(ConvNormActivation(ConvNormOptions{.in = hidden,
                                                       .out = hidden,
                                                       .kernel = 3,
                                                       .stride = stride,
                                                       .groups = hidden,
                                                       .activation = Activation::kRelu6}));
    conv->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(hidden, out, 1).bias(false)));
    conv->push_back(BatchNorm2d(out));
  }
  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor x = conv->forward(input);
    if (has_shortcut_) x += input;
    return x;
  }

 private:
  bool has_shortcut_;
  torch::nn::Sequential conv{nullptr};
};
TORCH_MODULE(MobileNetV2Block);

// Table 2 of the paper.
struct V2Stage {
  std::int64_t expansion, channels, blocks, stride;
};
constexpr auto kV2Stages = std::to_array<V2Stage>({{1, 16, 1, 1},
                                                   {6, 24, 2, 2},
                                                   {6, 32, 3, 2},
                                                   {6, 64, 4, 2},
                                                   {6, 96, 3, 1},
                                                   {6, 160, 3, 2},
                                                   {6, 320, 1, 1}});

}  // namespace

MobileNetV2::MobileNetV2(std::int64_t classes, double dropout) : dropout_(dropout) {
  features_ = register_module("features", torch::nn::Sequential());
  FeatureStages staged;
  features_->push_back(ConvNormActivation(
      ConvNormOptions{.in = 3, .out = kV2Stem, .kernel = 3, .stride = 2, .activation = Activation::kRelu6}));
  staged.add(/*stride=*/1);  // the first stage begins with it, whatever its stride
  std::int64_t in = kV2Stem;
  for (const V2Stage& stage : kV2Stages)
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      const std::int64_t stride = block == 0 ? stage.stride : 1;
      features_->push_back(MobileNetV2Block(in, stage.channels, stride, stage.expansion));
      staged.add(stride);
      in = stage.channels;
    }
  features_->push_back(
      ConvNormActivation(ConvNormOptions{.in = in, .out = kV2Features, .activation = Activation::kRelu6}));
  staged.add(1);
  auto classifier = register_module("classifier", std::make_shared<torch::nn::Module>("classifier"));
  fc_ = classifier->register_module("1", torch::nn::Linear(kV2Features, classes));
  stages_ = {staged.stages(), {"classifier."}};
  initialize_convolutions(*this);
  torch::nn::init::normal_(fc_->weight, 0.0, 0.01);
  torch::nn::init::zeros_(fc_->bias);
  to_channels_last(*this);
}

torch::Tensor MobileNetV2::features(const torch::Tensor& images) {
  return features_->forward(images).mean({2, 3});
}

torch::Tensor MobileNetV2::head(const torch::Tensor& features) {
  return fc_(torch::dropout(features, dropout_, is_training()));
}

}  // namespace tune::trainer::nn
