#include "trainer/nn/vision_transformer.h"

#include <cmath>

#include "trainer/nn/layers.h"

namespace tune::trainer::nn {
namespace {

constexpr std::int64_t kPatch = 16, kInner = 4;  // the inner layer is as many times as wide
constexpr double kTransformerEpsilon = 1e-6;     // of norms, in both libraries
// Both libraries cut their normal distributions off at 2, which is 50 deviations and more from the mean.
constexpr double kTokenDeviation = 0.02;

bool is_timm(TransformerNames names) { return names == TransformerNames::kTimm; }

torch::nn::LayerNorm layer_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(kTransformerEpsilon));
}

void draw_linear(torch::nn::Linear& layer) {
  torch::nn::init::normal_(layer->weight, 0.0, kTokenDeviation);
  torch::nn::init::zeros_(layer->bias);
}

}  // namespace

TransformerBlockImpl::TransformerBlockImpl(const TransformerLayout& layout) : heads_(layout.heads) {
  const std::int64_t width = layout.width;
  const bool timm = is_timm(layout.names);
  norm1_ = register_module(timm ? "norm1" : "ln_1", layer_norm(width));
  const char* place = timm ? "attn" : "self_attention";
  auto attention = register_module(place, std::make_shared<torch::nn::Module>(place));
  if (timm) {
    const torch::nn::Linear qkv = attention->register_module("qkv", torch::nn::Linear(width, 3 * width));
    qkv_weight_ = qkv->weight;
    qkv_bias_ = qkv->bias;
  } else {
    qkv_weight_ = attention->register_parameter("in_proj_weight", torch::empty({3 * width, width}));
    qkv_bias_ = attention->register_parameter("in_proj_bias", torch::zeros({3 * width}));
  }
  proj_ = attention->register_module(timm ? "proj" : "out_proj", torch::nn::Linear(width, width));
  norm2_ = register_module(timm ? "norm2" : "ln_2", layer_norm(width));
  auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>("mlp"));
  fc1_ = mlp->register_module(timm ? "fc1" : "0", torch::nn::Linear(width, kInner * width));
  fc2_ = mlp->register_module(timm ? "fc2" : "3", torch::nn::Linear(kInner * width, width));
  initialise(layout.names);
}

void TransformerBlockImpl::initialise(TransformerNames names) {
  if (is_timm(names)) {
    torch::nn::init::normal_(qkv_weight_, 0.0, kTokenDeviation);
    torch::nn::init::zeros_(qkv_bias_);
    for (torch::nn::Linear& layer : {std::ref(proj_), std::ref(fc1_), std::ref(fc2_)}) draw_linear(layer);
    return;
  }
  torch::nn::init::xavier_uniform_(qkv_weight_);
  torch::nn::init::zeros_(proj_->bias);  // its weight is drawn as any linear layer's
  for (torch::nn::Linear& layer : {std::ref(fc1_), std::ref(fc2_)}) {
    torch::nn::init::xavier_uniform_(layer->weight);
    torch::nn::init::normal_(layer->bias, 0.0, 1e-6);
  }
}

torch::Tensor TransformerBlockImpl::attention(const torch::Tensor& tokens) {
  const std::int64_t images = tokens.size(0), count = tokens.size(1), width = tokens.size(2);
  const torch::Tensor qkv = torch::linear(tokens, qkv_weight_, qkv_bias_)
                                .view({images, count, 3, heads_, width / heads_})
                                .permute({2, 0, 3, 1, 4});
  const torch::Tensor seen = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  return proj_(seen.transpose(1, 2).reshape({images, count, width}));
}

torch::Tensor TransformerBlockImpl::forward(const torch::Tensor& tokens) {
  const torch::Tensor x = tokens + attention(norm1_(tokens));
  return x + fc2_(torch::gelu(fc1_(norm2_(x))));
}

VisionTransformer::VisionTransformer(const TransformerLayout& layout, std::int64_t classes, double dropout)
    : dropout_(dropout) {
  const std::int64_t width = layout.width, side = kTransformerImage / kPatch;
  const bool timm = is_timm(layout.names);
  const torch::nn::Conv2d patches(torch::nn::Conv2dOptions(3, width, kPatch).stride(kPatch));
  const torch::Tensor places = torch::empty({1, side * side + 1, width});
  class_token_ = register_parameter(timm ? "cls_token" : "class_token", torch::zeros({1, 1, width}));
  std::string body;  // what the blocks' names begin with
  torch::nn::Module* trunk = this;
  if (timm) {
    places_ = register_parameter("pos_embed", places);
    patches_ = register_module("patch_embed", std::make_shared<torch::nn::Module>("patch_embed"))
                   ->register_module("proj", patches);
    stages_.body.push_back({"embeddings", {"cls_token", "pos_embed", "patch_embed."}});
    body = "blocks.";
  } else {
    patches_ = register_module("conv_proj", patches);
    trunk = register_module("encoder", std::make_shared<torch::nn::Module>("encoder")).get();
    places_ = trunk->register_parameter("pos_embedding", places);
    stages_.body.push_back({"embeddings", {"class_token", "conv_proj.", "encoder.pos_embedding"}});
    body = "encoder.layers.encoder_layer_";
  }
  const char* list = timm ? "blocks" : "layers";
  auto blocks = trunk->register_module(list, std::make_shared<torch::nn::Module>(list));
  for (std::int64_t i = 0; i < layout.blocks; ++i) {
    const std::string number = std::to_string(i);
    blocks_.push_back(
        blocks->register_module(timm ? number : "encoder_layer_" + number, TransformerBlock(layout)));
    stages_.body.push_back({"block" + number, {body + number + "."}});
  }
  norm_ = trunk->register_module(timm ? "norm" : "ln", layer_norm(width));
  stages_.body.back().prefixes.emplace_back(timm ? "norm." : "encoder.ln.");
  if (timm)
    head_ = register_module("head", torch::nn::Linear(width, classes));
  else
    head_ = register_module("heads", std::make_shared<torch::nn::Module>("heads"))
                ->register_module("head", torch::nn::Linear(width, classes));
  stages_.head = {timm ? "head." : "heads.head."};
  initialise(layout.names);
  to_channels_last(*this);
}

void VisionTransformer::initialise(TransformerNames names) {
  torch::nn::init::normal_(places_, 0.0, kTokenDeviation);
  if (is_timm(names)) {  // the patches' convolution is drawn as any
    torch::nn::init::normal_(class_token_, 0.0, 1e-6);
    draw_linear(head_);
    return;
  }
  torch::nn::init::normal_(patches_->weight, 0.0, 1 / std::sqrt(3.0 * kPatch * kPatch));
  torch::nn::init::zeros_(patches_->bias);
  torch::nn::init::zeros_(head_->weight);
  torch::nn::init::zeros_(head_->bias);
}

torch::Tensor VisionTransformer::features(const torch::Tensor& images) {
  const torch::Tensor patches = patches_(images).flatten(2).transpose(1, 2);
  torch::Tensor x = torch::cat({class_token_.expand({patches.size(0), -1, -1}), patches}, 1) + places_;
  for (TransformerBlock& block : blocks_) x = block(x);
  return norm_(x.select(1, 0));  // a norm is each token's own, and no other token is looked at
}

torch::Tensor VisionTransformer::head(const torch::Tensor& features) {
  return head_(torch::dropout(features, dropout_, is_training()));
}

}  // namespace tune::trainer::nn
