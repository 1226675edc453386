#include "trainer/nn/vgg16.h"

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

struct VggStage {
  std::int64_t channels;
  int convolutions;
};
constexpr auto kVggStages = std::to_array<VggStage>({{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}});
constexpr std::int64_t kVggGrid = 7, kVggWide = 4096;

}  // namespace

Vgg16::Vgg16(std::int64_t classes, double dropout) : dropout_(dropout) {
  auto features = register_module("features", std::make_shared<torch::nn::Module>("features"));
  std::int64_t in = 3;
  int place = 0;
  for (const auto& [channels, count] : kVggStages) {
    convolutions_.emplace_back();
    Stage stage{"conv" + std::to_string(convolutions_.size()), {}};
    for (int i = 0; i < count; ++i) {
      convolutions_.back().push_back(features->register_module(
          std::to_string(place), torch::nn::Conv2d(torch::nn::Conv2dOptions(in, channels, 3).padding(1))));
      stage.prefixes.push_back("features." + std::to_string(place) + ".");
      place += 2;  // a ReLU stands between
      in = channels;
    }
    ++place;  // the pooling
    stages_.body.push_back(std::move(stage));
  }
  auto classifier = register_module("classifier", std::make_shared<torch::nn::Module>("classifier"));
  fc6_ = classifier->register_module("0", torch::nn::Linear(in * kVggGrid * kVggGrid, kVggWide));
  between_ = classifier->register_module("2", torch::nn::Dropout(dropout));
  fc7_ = classifier->register_module("3", torch::nn::Linear(kVggWide, kVggWide));
  fc8_ = classifier->register_module("6", torch::nn::Linear(kVggWide, classes));
  stages_.body.push_back({"fc6", {"classifier.0.", "classifier.2."}});
  stages_.body.push_back({"fc7", {"classifier.3."}});
  stages_.head = {"classifier.6."};
  initialise();
  to_channels_last(*this);
}

void Vgg16::initialise() {
  initialize_convolutions(*this);
  for (torch::nn::Linear& layer : {std::ref(fc6_), std::ref(fc7_), std::ref(fc8_)}) {
    torch::nn::init::normal_(layer->weight, 0.0, 0.01);
    torch::nn::init::zeros_(layer->bias);
  }
}

torch::Tensor Vgg16::features(const torch::Tensor& images) {
  torch::Tensor x = images;
  for (auto& stage : convolutions_) {
    for (torch::nn::Conv2d& convolution : stage) x = convolution(x).relu_();
    x = torch::max_pool2d(x, /*kernel_size=*/2, /*stride=*/2);
  }
  x = torch::adaptive_avg_pool2d(x, {kVggGrid, kVggGrid}).flatten(1);
  return fc7_(between_(fc6_(x).relu_())).relu_();
}

torch::Tensor Vgg16::head(const torch::Tensor& features) {
  return fc8_(torch::dropout(features, dropout_, is_training()));
}

}  // namespace tune::trainer::nn
