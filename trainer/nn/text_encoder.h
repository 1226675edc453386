#pragma once
// Encoders of texts as Hugging Face has them, with the head that tells classes apart: BERT (Devlin et al.,
// NAACL 2019; MiniLM is one), DistilBERT (Sanh et al., 2019) and RoBERTa (Liu et al., 2019).
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/nn/stages.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

enum class EncoderFamily { kBert, kDistilBert, kRoberta };

enum class EncoderActivation { kGelu, kGeluTanh, kRelu };

struct EncoderLayout {
  EncoderFamily family = EncoderFamily::kBert;
  std::int64_t width = 768, layers = 12, heads = 12, inner = 3072;
  std::int64_t vocabulary = 30522;  // rows of the embedding
  std::int64_t positions = 512;     // rows of theirs; RoBERTa's first padding + 1 belong to no text
  std::int64_t types = 2;           // of texts of a pair; DistilBERT knows none
  std::int64_t padding = 0;         // the id that stands for no token
  EncoderActivation activation = EncoderActivation::kGelu;
  double epsilon = 1e-12;   // of norms
  double deviation = 0.02;  // of the normal distribution that weights are drawn from
  double dropout = 0.1;     // behind embeddings, attention and the inner layer
  double attention = 0.1;   // dropout of attention's probabilities
  double head_dropout = 0.1;
};

// The longest text that it takes, in tokens.
std::int64_t longest_text(const EncoderLayout& layout);
// Its numbers, without a head's last layer for classes.
std::int64_t parameter_count(const EncoderLayout& layout);
// Multiply-adds of one text of so many tokens.
std::int64_t multiply_adds(const EncoderLayout& layout, std::int64_t tokens);

class EncoderLayerImpl;

// Parameters have the names of transformers' BertForSequenceClassification and its kin, and are drawn from
// LibTorch's default generator as there. Features are the first token's after the last layer: all that its
// head looks at, so that layer computes no other token's. Owned by a training; of one thread.
class TextEncoder : public torch::nn::Module {
 public:
  TextEncoder(const EncoderLayout& layout, std::int64_t classes);
  ~TextEncoder() override;

  // int64 ids [B, L], and where texts are of different length bool `mask` [B, L], true for tokens; `types`
  // int64 [B, L], undefined for all 0 -> [B, width].
  torch::Tensor features(const torch::Tensor& ids, const torch::Tensor& mask, const torch::Tensor& types);
  // -> logits [B, classes]. BERT: tanh of a pooling layer, RoBERTa of a dense one, DistilBERT ReLU of one;
  // then the layer for the classes.
  torch::Tensor head(const torch::Tensor& features);
  // Embeddings and layers as stages; the head is all behind them.
  Stages stages() const;
  const EncoderLayout& layout() const { return layout_; }
  // What the layer for the classes begins with: made anew where these are others.
  std::string classes_prefix() const;
  // What transformers puts in front of the encoder's names: "bert.".
  std::string prefix() const;

 private:
  torch::Tensor embedded(const torch::Tensor& ids, const torch::Tensor& types);

  const EncoderLayout layout_;
  torch::nn::Embedding words_ = nullptr, positions_ = nullptr, types_ = nullptr;
  torch::nn::LayerNorm norm_ = nullptr;
  std::vector<std::shared_ptr<EncoderLayerImpl>> layers_;
  torch::nn::Linear dense_ = nullptr, classifier_ = nullptr;
};

}  // namespace tune::trainer::nn
