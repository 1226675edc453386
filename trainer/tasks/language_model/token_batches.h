#pragma once
// Rows of tokens as batches, and what models make of them.
#include <functional>
#include <vector>

#include "trainer/loop/training.h"
#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/data/token_sequences.h"

namespace tune::trainer::language_model {

// Sequences that share a row, one behind the other.
using Row = std::vector<std::size_t>;
std::int64_t length_of(const std::vector<TokenSequence>& sequences, const Row& row);

// "ids" int64 [rows, length], filled up with 0 at the right, which no token of a row sees; "places" int64
// [targets], where in the rows laid end to end it is asked what comes next; "targets" int64 [targets]. With
// `packed` also "positions" and "texts" (DecoderInput). The weight is the number of targets, the units are
// tokens.
loop::Batch batch_of(const std::vector<TokenSequence>& sequences, const std::vector<const Row*>& rows,
                     bool packed, std::int64_t length_multiple);

// Hidden states [targets, width] at the places of such tensors.
torch::Tensor hidden_at_places(nn::Decoder& decoder, const weights::TensorMap& tensors);

struct TokenMeasures {
  double loss = 0;  // mean of -log p over the learned tokens
  double token_accuracy = 0;
  std::int64_t tokens = 0;  // learned ones
};
// Of `sequences` on the decoder's device, in batches of so many, the longest first; `team` takes them in
// turn. nullopt once `interrupted` says so.
std::optional<TokenMeasures> measure_tokens(nn::Decoder& decoder, const std::vector<TokenSequence>& sequences,
                                            std::int64_t batch, const torch::Device& device,
                                            const std::function<bool()>& interrupted,
                                            const parallel::Team& team = *parallel::alone());

}  // namespace tune::trainer::language_model
