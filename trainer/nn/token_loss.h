#pragma once
// The cross-entropy of the next token over large vocabularies, without the logits of all tokens in memory.
#include <optional>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {

// What hidden states are multiplied by to be logits.
struct OutputLayer {
  torch::Tensor weight;       // [vocabulary, width]
  std::optional<double> cap;  // logits become cap * tanh(logits / cap)
};

// The sum over `targets` (int64 [tokens]) of -log softmax(hidden weight')[target], in fp32, with
// `smoothing` of the probability shared by all tokens: (1 - s) of that and s of the mean over the vocabulary.
// Logits exist for a part of the tokens at a time; gradients are computed together with the loss, so that the
// backward pass multiplies by a number only.
torch::Tensor token_loss(const torch::Tensor& hidden, const OutputLayer& output, const torch::Tensor& targets,
                         double smoothing);

struct TokenScores {
  torch::Tensor losses;  // double []: the sum, as above without smoothing
  torch::Tensor right;   // int64 []: targets that are the most probable token
};
TokenScores token_scores(const torch::Tensor& hidden, const OutputLayer& output,
                         const torch::Tensor& targets);

// float [tokens, vocabulary].
torch::Tensor logits_of(const torch::Tensor& hidden, const OutputLayer& output);

}  // namespace tune::trainer::nn
