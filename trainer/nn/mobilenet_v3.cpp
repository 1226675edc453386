#include "trainer/nn/mobilenet_v3.h"

#include <span>

#include "trainer/nn/feature_stages.h"
#include "trainer/nn/inverted_residual.h"
#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

constexpr Activation kRe = Activation::kRelu, kHs = Activation::kHardswish;
constexpr std::int64_t kV3Stem = 16;
// torchvision's, which are TensorFlow's.
constexpr double kV3Epsilon = 1e-3, kV3Momentum = 0.01;

// A row of the paper's tables 1 and 2.
struct V3Block {
  std::int64_t kernel, expanded, out;
  bool squeezes;
  Activation activation;
  std::int64_t stride;
};

constexpr auto kV3Large = std::to_array<V3Block>({{3, 16, 16, false, kRe, 1},
                                                  {3, 64, 24, false, kRe, 2},
                                                  {3, 72, 24, false, kRe, 1},
                                                  {5, 72, 40, true, kRe, 2},
                                                  {5, 120, 40, true, kRe, 1},
                                                  {5, 120, 40, true, kRe, 1},
                                                  {3, 240, 80, false, kHs, 2},
                                                  {3, 200, 80, false, kHs, 1},
                                                  {3, 184, 80, false, kHs, 1},
                                                  {3, 184, 80, false, kHs, 1},
                                                  {3, 480, 112, true, kHs, 1},
                                                  {3, 672, 112, true, kHs, 1},
                                                  {5, 672, 160, true, kHs, 2},
                                                  {5, 960, 160, true, kHs, 1},
                                                  {5, 960, 160, true, kHs, 1}});
constexpr auto kV3Small = std::to_array<V3Block>({{3, 16, 16, true, kRe, 2},
                                                  {3, 72, 24, false, kRe, 2},
                                                  {3, 88, 24, false, kRe, 1},
                                                  {5, 96, 40, true, kHs, 2},
                                                  {5, 240, 40, true, kHs, 1},
                                                  {5, 240, 40, true, kHs, 1},
                                                  {5, 120, 48, true, kHs, 1},
                                                  {5, 144, 48, true, kHs, 1},
                                                  {5, 288, 96, true, kHs, 2},
                                                  {5, 576, 96, true, kHs, 1},
                                                  {5, 576, 96, true, kHs, 1}});
constexpr std::int64_t kV3LargeFeatures = 1280, kV3SmallFeatures = 1024;

// The multiple of 8 that is nearest, unless it is more than a tenth below.
std::int64_t divisible_by_eight(std::int64_t channels) {
  const std::int64_t nearest = std::max<std::int64_t>(8, (channels + 4) / 8 * 8);
  return 10 * nearest < 9 * channels ? nearest + 8 : nearest;
}

}  // namespace

MobileNetV3::MobileNetV3(MobileNetV3Size size, std::int64_t classes, double dropout) : dropout_(dropout) {
  const bool large = size == MobileNetV3Size::kLarge;
  const std::span<const V3Block> plan = large ? std::span<const V3Block>(kV3Large) : kV3Small;
  features_ = register_module("features", torch::nn::Sequential());
  FeatureStages staged;
  const auto convolution = [](ConvNormOptions options) {
    options.norm_epsilon = kV3Epsilon;
    options.norm_momentum = kV3Momentum;
    return ConvNormActivation(options);
  };
  features_->push_back(convolution({.in = 3, .out = kV3Stem, .kernel = 3, .stride = 2, .activation = kHs}));
  staged.add(/*stride=*/1);
  std::int64_t in = kV3Stem;
  for (const V3Block& block : plan) {
    features_->push_back(InvertedResidual(
        InvertedResidualOptions{.in = in,
                                .expanded = block.expanded,
                                .out = block.out,
                                .kernel = block.kernel,
                                .stride = block.stride,
                                .activation = block.activation,
                                .squeezed = block.squeezes ? divisible_by_eight(block.expanded / 4) : 0,
                                .squeeze_activation = kRe,
                                .gate = Gate::kHardsigmoid,
                                .norm_epsilon = kV3Epsilon,
                                .norm_momentum = kV3Momentum}));
    staged.add(block.stride);
    in = block.out;
  }
  const std::int64_t deepest = 6 * in, wide = large ? kV3LargeFeatures : kV3SmallFeatures;
  features_->push_back(convolution({.in = in, .out = deepest, .activation = kHs}));
  staged.add(1);
  auto classifier = register_module("classifier", std::make_shared<torch::nn::Module>("classifier"));
  last_ = classifier->register_module("0", torch::nn::Linear(deepest, wide));
  fc_ = classifier->register_module("3", torch::nn::Linear(wide, classes));
  stages_ = {staged.stages(), {"classifier.3."}};
  stages_.body.back().prefixes.emplace_back("classifier.0.");
  initialize_convolutions(*this);
  for (torch::nn::Linear& layer : {std::ref(last_), std::ref(fc_)}) {
    torch::nn::init::normal_(layer->weight, 0.0, 0.01);
    torch::nn::init::zeros_(layer->bias);
  }
  to_channels_last(*this);
}

torch::Tensor MobileNetV3::features(const torch::Tensor& images) {
  return activate_(last_(features_->forward(images).mean({2, 3})), kHs);
}

torch::Tensor MobileNetV3::head(const torch::Tensor& features) {
  return fc_(torch::dropout(features, dropout_, is_training()));
}

}  // namespace tune::trainer::nn
