#pragma once
// The tokenizer that a GGUF file carries, as the files of a Hugging Face folder.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/text/tokenizer.h"
#include "tuner/core/json.h"

namespace tune::trainer::text {

// What GGUF holds under `tokenizer.ggml.*`.
struct GgufVocabulary {
  std::string model;                // .model: "gpt2" (byte-level BPE) or "llama" (sentencepiece)
  std::string pre;                  // .pre: "smollm", "llama-bpe", "qwen2", "gpt-2", ...
  std::vector<std::string> tokens;  // .tokens, by id
  std::vector<std::int32_t> types;  // .token_type: 1 normal, 2 unknown, 3 control, 4 user-defined, 6 byte
  std::vector<float> scores;        // .scores, of "llama"
  std::vector<std::string> merges;  // .merges, of "gpt2": "left right"
  std::optional<std::int64_t> begin, end, unknown, pad;  // .bos_token_id, .eos_token_id, ...
  bool add_begin = false;                                // .add_bos_token
  bool add_space_prefix = true;                          // .add_space_prefix, of "llama"
  std::string chat_template;                             // tokenizer.chat_template
};

// The same tokenizer as tokenizer.json and tokenizer_config.json, which Tokenizer::from_files() and Python's
// `tokenizers` and `transformers` read; written into a folder, they travel with a model. `name` names the
// file in errors. Throws Error(kBadData) for a `model` or a `pre` that is not known, by its name.
TokenizerFiles tokenizer_files_of(const GgufVocabulary& vocabulary, const std::string& name);

// What GgufVocabulary::pre would call the way in which a tokenizer.json cuts texts before it merges bytes; ""
// where that is none of those that tokenizer_files_of() knows.
std::string gguf_pre_of(const Json& tokenizer_json);

}  // namespace tune::trainer::text
