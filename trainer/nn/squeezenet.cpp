#include "trainer/nn/squeezenet.h"

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

struct FirePlan {
  const char* place;  // in torchvision's sequence of layers
  std::int64_t in, squeezed, expanded;
};

const std::vector<std::vector<FirePlan>>& fire_plan() {
  static const std::vector<std::vector<FirePlan>> plan{
      {{"3", 64, 16, 64}, {"4", 128, 16, 64}},
      {{"6", 128, 32, 128}, {"7", 256, 32, 128}},
      {{"9", 256, 48, 192}, {"10", 384, 48, 192}, {"11", 384, 64, 256}, {"12", 512, 64, 256}}};
  return plan;
}

torch::Tensor pooled(const torch::Tensor& map) {
  return torch::max_pool2d(map, /*kernel_size=*/3, /*stride=*/2, /*padding=*/0, /*dilation=*/1,
                           /*ceil_mode=*/true);
}

}  // namespace

FireImpl::FireImpl(std::int64_t in, std::int64_t squeezed, std::int64_t expanded) {
  using Options = torch::nn::Conv2dOptions;
  squeeze = register_module("squeeze", torch::nn::Conv2d(Options(in, squeezed, 1)));
  expand1x1 = register_module("expand1x1", torch::nn::Conv2d(Options(squeezed, expanded, 1)));
  expand3x3 = register_module("expand3x3", torch::nn::Conv2d(Options(squeezed, expanded, 3).padding(1)));
}

torch::Tensor FireImpl::forward(const torch::Tensor& input) {
  const torch::Tensor x = squeeze(input).relu_();
  return torch::cat({expand1x1(x).relu_(), expand3x3(x).relu_()}, 1);
}

SqueezeNet::SqueezeNet(std::int64_t classes, double dropout) : dropout_(dropout) {
  auto features = register_module("features", std::make_shared<torch::nn::Module>("features"));
  stem_ = features->register_module("0", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 64, 3).stride(2)));
  for (const std::vector<FirePlan>& stage : fire_plan()) {
    fires_.emplace_back();
    for (const FirePlan& one : stage)
      fires_.back().push_back(features->register_module(one.place, Fire(one.in, one.squeezed, one.expanded)));
  }
  auto classifier = register_module("classifier", std::make_shared<torch::nn::Module>("classifier"));
  final_ = classifier->register_module("1", torch::nn::Conv2d(torch::nn::Conv2dOptions(512, classes, 1)));
  initialise();
  to_channels_last(*this);
}

// As torchvision has it: He's uniform one, but for the head.
void SqueezeNet::initialise() {
  for (const auto& module : modules(/*include_self=*/false)) {
    auto* convolution = module->as<torch::nn::Conv2d>();
    if (convolution == nullptr) continue;
    if (convolution == final_.get())
      torch::nn::init::normal_(convolution->weight, 0.0, 0.01);
    else
      torch::nn::init::kaiming_uniform_(convolution->weight);
    torch::nn::init::zeros_(convolution->bias);
  }
}

torch::Tensor SqueezeNet::features(const torch::Tensor& images) {
  torch::Tensor x = stem_(images).relu_();
  for (std::vector<Fire>& stage : fires_) {
    x = pooled(x);
    for (Fire& fire : stage) x = fire(x);
  }
  return x;
}

torch::Tensor SqueezeNet::head(const torch::Tensor& features) {
  return final_(torch::dropout(features, dropout_, is_training())).relu_().mean({2, 3});
}

Stages SqueezeNet::stages() const {
  Stages stages{{{"features.0", {"features.0."}}}, {"classifier."}};
  for (const std::vector<FirePlan>& stage : fire_plan()) {
    Stage one{std::string("features.") + stage.front().place + "-" + stage.back().place, {}};
    for (const FirePlan& fire : stage) one.prefixes.push_back(std::string("features.") + fire.place + ".");
    stages.body.push_back(std::move(one));
  }
  return stages;
}

}  // namespace tune::trainer::nn
