#include "trainer/nn/efficientnet.h"

#include <cmath>

#include "trainer/nn/feature_stages.h"
#include "trainer/nn/inverted_residual.h"
#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

constexpr std::int64_t kB0Stem = 32, kB0Features = 1280;

// Table 1 of the paper.
struct B0Stage {
  std::int64_t expansion, kernel, stride, channels, blocks;
};
constexpr auto kB0Stages = std::to_array<B0Stage>({{1, 3, 1, 16, 1},
                                                   {6, 3, 2, 24, 2},
                                                   {6, 5, 2, 40, 2},
                                                   {6, 3, 2, 80, 3},
                                                   {6, 5, 1, 112, 3},
                                                   {6, 5, 2, 192, 4},
                                                   {6, 3, 1, 320, 1}});
constexpr double kB0Blocks = 16;

}  // namespace

EfficientNetB0::EfficientNetB0(std::int64_t classes, double dropout, double skipped) : dropout_(dropout) {
  auto features = register_module("features", std::make_shared<torch::nn::Module>("features"));
  FeatureStages staged;
  stem_ = features->register_module(
      "0", ConvNormActivation(ConvNormOptions{
               .in = 3, .out = kB0Stem, .kernel = 3, .stride = 2, .activation = Activation::kSilu}));
  staged.add(/*stride=*/1);
  std::int64_t in = kB0Stem;
  int place = 1;
  for (const B0Stage& stage : kB0Stages) {
    auto blocks =
        features->register_module(std::to_string(place++), std::make_shared<torch::nn::Module>("blocks"));
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      blocks_.push_back(blocks->register_module(
          std::to_string(block), InvertedResidual(InvertedResidualOptions{
                                     .in = in,
                                     .expanded = in * stage.expansion,
                                     .out = stage.channels,
                                     .kernel = stage.kernel,
                                     .stride = block == 0 ? stage.stride : 1,
                                     .activation = Activation::kSilu,
                                     .squeezed = in / 4,
                                     .squeeze_activation = Activation::kSilu,
                                     .gate = Gate::kSigmoid,
                                     .skipped = skipped * static_cast<double>(blocks_.size()) / kB0Blocks})));
      in = stage.channels;
    }
    staged.add(stage.stride);
  }
  last_ = features->register_module(
      std::to_string(place),
      ConvNormActivation(ConvNormOptions{.in = in, .out = kB0Features, .activation = Activation::kSilu}));
  staged.add(1);
  auto classifier = register_module("classifier", std::make_shared<torch::nn::Module>("classifier"));
  fc_ = classifier->register_module("1", torch::nn::Linear(kB0Features, classes));
  stages_ = {staged.stages(), {"classifier."}};
  initialize_convolutions(*this);
  const double bound = 1 / std::sqrt(static_cast<double>(classes));
  torch::nn::init::uniform_(fc_->weight, -bound, bound);
  torch::nn::init::zeros_(fc_->bias);
  to_channels_last(*this);
}

torch::Tensor EfficientNetB0::features(const torch::Tensor& images) {
  torch::Tensor x = stem_(images);
  for (InvertedResidual& block : blocks_) x = block(x);
  return last_(x).mean({2, 3});
}

torch::Tensor EfficientNetB0::head(const torch::Tensor& features) {
  return fc_(torch::dropout(features, dropout_, is_training()));
}

}  // namespace tune::trainer::nn
