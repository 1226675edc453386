#pragma once
// Texts that a decoder writes on together.
#include <cstdint>
#include <vector>

#include "trainer/nn/decoder.h"

namespace tune::trainer::language_model {

// The keys and values of a changing set of texts, a row each. All rows end together, padded on the left. Rows
// come in between two steps, which needs no other row to be computed again, and leave. Owned by one thread;
// the decoder is used by it alone while it computes. The caller has turned gradients off.
class DecodingBatch {
 public:
  DecodingBatch(nn::Decoder decoder, torch::Device device);

  // Takes prompts in, none of them empty, as the last rows. Logits of what comes behind each: float [prompts,
  // vocabulary] on the CPU.
  torch::Tensor join(const std::vector<std::vector<std::int64_t>>& prompts);
  // A long prompt on its way in, which may take several turns.
  struct Entering {
    std::vector<std::int64_t> prompt;
    nn::KeyValueCache cache = {};
  };
  // Computes the next `most` tokens of it. Once they are all there it is the last row, and the logits of what
  // comes behind are given: float [1, vocabulary]; before that they are undefined.
  torch::Tensor enter(Entering& text, std::int64_t most);
  // A token for each row; logits of what comes behind: float [rows, vocabulary] on the CPU.
  torch::Tensor step(const std::vector<std::int64_t>& tokens);
  // The rows that stay, ascending.
  void keep(const std::vector<std::int64_t>& rows);
  std::int64_t rows() const { return static_cast<std::int64_t>(lengths_.size()); }

 private:
  void take_in(nn::KeyValueCache fresh, const std::vector<std::int64_t>& lengths);
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& positions, nn::KeyValueCache& cache,
                        const std::vector<std::int64_t>& lengths);

  nn::Decoder decoder_;
  torch::Device device_;
  nn::KeyValueCache cache_;
  std::vector<std::int64_t> lengths_;  // of each row, in tokens that are in the cache
};

}  // namespace tune::trainer::language_model
