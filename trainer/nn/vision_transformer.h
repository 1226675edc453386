#pragma once
// Vision transformers (Dosovitskiy et al., ICLR 2021).
#include <array>
#include <vector>

#include "trainer/nn/image_classifier.h"

namespace tune::trainer::nn {

// Whose names parameters have, and whose way they are initialised: one network goes by either.
enum class TransformerNames { kTorchvision, kTimm };

struct TransformerLayout {
  std::int64_t width, heads, blocks;
  TransformerNames names;
};

// Attention among all tokens, then a layer for each, both with a shortcut around.
class TransformerBlockImpl : public torch::nn::Module {
 public:
  explicit TransformerBlockImpl(const TransformerLayout& layout);
  torch::Tensor forward(const torch::Tensor& tokens);  // [B, N, width]

 private:
  void initialise(TransformerNames names);
  torch::Tensor attention(const torch::Tensor& tokens);

  std::int64_t heads_;
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  torch::Tensor qkv_weight_, qkv_bias_;  // queries, keys, values, one below the other
  torch::nn::Linear proj_{nullptr}, fc1_{nullptr}, fc2_{nullptr};
};
TORCH_MODULE(TransformerBlock);

// For images of one size, kTransformerImage, in patches of 16 pixels: the embeddings of places are learned
// one by one. Features are the class token after the last norm. Stages: the embeddings, then each block.
class VisionTransformer final : public ImageClassifier {
 public:
  VisionTransformer(const TransformerLayout& layout, std::int64_t classes, double dropout);
  torch::Tensor features(const torch::Tensor& images) override;
  torch::Tensor head(const torch::Tensor& features) override;
  Stages stages() const override { return stages_; }

 private:
  void initialise(TransformerNames names);

  double dropout_;
  torch::Tensor class_token_, places_;  // [1, 1, width], [1, N, width]
  torch::nn::Conv2d patches_{nullptr};
  std::vector<TransformerBlock> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear head_{nullptr};
  Stages stages_;
};

inline constexpr std::int64_t kTransformerImage = 224;

}  // namespace tune::trainer::nn
