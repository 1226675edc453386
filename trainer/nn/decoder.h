#pragma once
// Decoder-only language models: Llama, Qwen 2 and 3, Gemma and what is laid out like them.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/nn/adapted_linear.h"
#include "trainer/nn/decoder_shape.h"
#include "trainer/nn/rotary.h"
#include "trainer/nn/token_loss.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// Root-mean-square norm (Zhang & Sennrich, arXiv 1910.07467), computed in fp32.
class RmsNormImpl : public torch::nn::Module {
 public:
  RmsNormImpl(std::int64_t size, double epsilon, bool adds_one);
  torch::Tensor forward(const torch::Tensor& x);
  torch::Tensor weight;

 private:
  const double epsilon_;
  const bool adds_one_;
};
TORCH_MODULE(RmsNorm);

// Keys and values of the tokens so far, of one batch. Owned by whoever generates, who has turned gradients
// off.
struct KeyValueCache {
  struct OfLayer {
    // [batch, kv_heads, room, head_width], of which the first `tokens` are there: each further token is
    // written into the room, without a copy of those before it.
    torch::Tensor keys, values;
    // Puts more behind the first `tokens`, and gives all that are there then.
    std::pair<torch::Tensor, torch::Tensor> extended(const torch::Tensor& more_keys,
                                                     const torch::Tensor& more_values, std::int64_t tokens);
  };
  std::vector<OfLayer> layers;
  std::int64_t tokens = 0;
};

// Of one batch. What is not defined is plain: positions from 0, one text a row, every token one of it.
struct DecoderInput {
  torch::Tensor ids;             // int64 [batch, length]
  torch::Tensor positions = {};  // int64 [batch, length]: rotary positions
  torch::Tensor texts =
      {};  // int64 [batch, length]: tokens of equal numbers see one another. Not with a cache
  torch::Tensor is_token = {};  // bool [batch, tokens of the cache + length]: false for padding on the left
  KeyValueCache* cache = nullptr;  // is gone on from, and grows
};

// What attention sees, made once a pass.
struct AttentionMask {
  torch::Tensor mask;     // bool [batch or 1, 1, queries, keys]; undefined where it is causal and no more
  bool is_causal = true;  // without a mask
};

// How scores are computed: by LibTorch's scaled dot product, which takes its fastest kernel, or in the open.
enum class Attention { kSdpa, kEager };

class DecoderLayerImpl;

// A whole model under Hugging Face's names. Weights begin uninitialised, and "lm_head.weight" exists where it
// is not the embedding. Owned by a task, used by one thread at a time.
class DecoderImpl : public torch::nn::Module {
 public:
  explicit DecoderImpl(const DecoderShape& shape);

  // Hidden states behind the last norm: [batch, length, width].
  torch::Tensor forward(const DecoderInput& input);
  OutputLayer output() const;
  const DecoderShape& shape() const { return shape_; }

  void set_attention(Attention attention) { attention_ = attention; }
  // Layers are computed again in the backward pass.
  void set_gradient_checkpointing(bool on) { checkpoints_ = on; }
  // The output layer gets a weight of its own, equal to the embedding's.
  void untie();
  bool is_tied() const { return !head_.defined(); }

  // The linear layers by their names, as linear_layers_of() has them.
  std::vector<std::pair<std::string, AdaptedLinear>> linear_layers();
  // The adapter that every layer which has it adds; "": the base alone.
  void use_adapter(const std::string& name);

  // Normal distributions of the deviation 0.02, as untrained models begin; norms are neutral.
  void initialise();

 private:
  const DecoderShape shape_;
  Attention attention_ = Attention::kSdpa;
  bool checkpoints_ = false;
  torch::Tensor embedding_, head_;
  std::vector<std::shared_ptr<DecoderLayerImpl>> layers_;
  RmsNorm norm_{nullptr};
  torch::Tensor frequencies_, window_frequencies_;
};
TORCH_MODULE(Decoder);

}  // namespace tune::trainer::nn
