#pragma once
// Answers to many prompts.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/token_choice.h"
#include "trainer/text/tokenizer.h"

namespace tune::trainer::language_model {

struct GeneratedAnswer {
  std::string text;
  std::vector<std::int64_t> ids;  // without the token that ended it
  bool is_complete = false;       // it ended by itself, not by max_new_tokens
};

// Answers to prompts of token ids, in batches of so many with a cache of keys and values. `ends` are tokens
// that end an answer. The n-th answer draws from a stream of its own of the seed, so that it does not depend
// on how many are asked for at once, but for the last bits of arithmetic. Empty once `interrupted` says so.
// Throws Error(kBadData) for a prompt that leaves no room for an answer in the model's positions.
std::vector<GeneratedAnswer> generate(nn::Decoder& decoder, const text::Tokenizer& tokenizer,
                                      const std::vector<std::int64_t>& ends,
                                      const std::vector<std::vector<std::int64_t>>& prompts,
                                      const GenerationSettings& settings, std::int64_t batch,
                                      const torch::Device& device, const std::function<bool()>& interrupted);

}  // namespace tune::trainer::language_model
