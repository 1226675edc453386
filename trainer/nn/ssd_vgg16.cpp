#include "trainer/nn/ssd_vgg16.h"

namespace tune::trainer::nn {
namespace {

constexpr std::int64_t kConv4 = 512, kFc = 1024;
constexpr double kInitialLength = 20;  // SSD, section 3.1

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1));
}

// Rounds sizes up, as Caffe did: 75 becomes 38.
torch::Tensor half(const torch::Tensor& map) {
  return torch::max_pool2d(map, /*kernel_size=*/2, /*stride=*/2, /*padding=*/0, /*dilation=*/1,
                           /*ceil_mode=*/true);
}

}  // namespace

VggTopImpl::VggTopImpl() {
  for (const char* place : {"1", "3", "5"})
    conv5_.push_back(register_module(place, convolution(kConv4, kConv4)));
  auto fc = register_module("7", std::make_shared<torch::nn::Module>("fc"));
  constexpr std::int64_t kDilation = 6;
  fc6_ = fc->register_module(
      "1",
      torch::nn::Conv2d(torch::nn::Conv2dOptions(kConv4, kFc, 3).padding(kDilation).dilation(kDilation)));
  fc7_ = fc->register_module("3", torch::nn::Conv2d(torch::nn::Conv2dOptions(kFc, kFc, 1)));
}

torch::Tensor VggTopImpl::forward(const torch::Tensor& conv4) {
  torch::Tensor x = half(conv4);
  for (torch::nn::Conv2d& convolution : conv5_) x = convolution(x).relu_();
  x = torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/1, /*padding=*/1);
  return fc7_(fc6_(x).relu_()).relu_();
}

SsdVgg16Impl::SsdVgg16Impl(const VggLayout& layout)
    : norm_epsilon_(layout.norm_epsilon), channels_{kConv4, kFc} {
  scale_weight = register_parameter("scale_weight", torch::full({kConv4}, kInitialLength));
  features = register_module("features", torch::nn::Sequential());
  constexpr std::int64_t kPool = 0;
  std::int64_t in = 3;
  for (const std::int64_t out :
       {64L, 64L, kPool, 128L, 128L, kPool, 256L, 256L, 256L, kPool, 512L, 512L, 512L}) {
    if (out == kPool) {
      features->push_back(torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2).stride(2).ceil_mode(true)));
      continue;
    }
    features->push_back(convolution(in, out));
    features->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(true)));
    in = out;
  }
  auto extra = register_module("extra", torch::nn::ModuleList());
  top_ = VggTop();
  extra->push_back(top_);
  for (const ExtraMap& map : layout.extras) {
    extras_.push_back(extra_block(channels_.back(), map));
    extra->push_back(extras_.back());
    channels_.push_back(map.out);
  }
  initialize(layout.xavier);
}

void SsdVgg16Impl::initialize(bool xavier) {
  initialize_convolutions(*this);
  if (!xavier) return;
  initialize_convolutions_xavier(*top_->named_children()["7"]);
  for (torch::nn::Sequential& block : extras_) initialize_convolutions_xavier(*block);
}

// In fp32 whatever the precision of the maps: the sum has 512 terms.
torch::Tensor SsdVgg16Impl::scaled(const torch::Tensor& conv4) const {
  const torch::Tensor map = conv4.to(torch::kFloat);
  const torch::Tensor length = (map.square().sum(1, /*keepdim=*/true) + norm_epsilon_).sqrt();
  return map / length * scale_weight.view({1, -1, 1, 1});
}

std::vector<torch::Tensor> SsdVgg16Impl::forward(const torch::Tensor& images) {
  torch::Tensor x = features->forward(images);
  std::vector<torch::Tensor> maps{scaled(x)};
  x = top_(x);
  maps.push_back(x);
  for (torch::nn::Sequential& block : extras_) maps.push_back(x = block->forward(x));
  return maps;
}

}  // namespace tune::trainer::nn
