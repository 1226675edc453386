#pragma once
// A language model of random weights as Hugging Face lays models out, whose tokens are bytes.
#include <filesystem>
#include <string>

#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/base_shape.h"
#include "trainer/torch_compat.h"
#include "trainer/weights/safetensors.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {

// UTF-8 of a code point below U+0800.
inline std::string character(int code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

// The visible character that byte-level BPE writes for a byte.
inline std::string letter_of_byte(int byte) {
  const auto visible = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; };
  if (visible(byte)) return character(byte);
  int before = 0;
  for (int b = 0; b < byte; ++b) before += visible(b) ? 0 : 1;
  return character(256 + before);
}

inline constexpr int kTinyEnd = 256, kTinyPad = 257, kTinyWords = 264;

// tokenizer.json: bytes, one merge, and special tokens.
inline OrderedJson tiny_tokenizer() {
  OrderedJson vocabulary = OrderedJson::object(), added = OrderedJson::array();
  for (int byte = 0; byte < 256; ++byte) vocabulary[letter_of_byte(byte)] = byte;
  const auto add = [&](const char* token, int id) {
    added.push_back({{"id", id},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  };
  add("<|im_end|>", kTinyEnd);
  add("<|pad|>", kTinyPad);
  add("<|im_start|>", 258);
  vocabulary["th"] = 259;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
          {"post_processor", nullptr},
          {"decoder",
           {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocabulary},
            {"merges", {"t h"}}}}};
}

inline OrderedJson tiny_config() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", kTinyWords},
          {"hidden_size", 32},
          {"intermediate_size", 64},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-5},
          {"tie_word_embeddings", true},
          {"eos_token_id", kTinyEnd},
          {"pad_token_id", kTinyPad},
          {"rope_theta", 10000.0}};
}

inline void write_tiny_tokenizer(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / "tokenizer.json", tiny_tokenizer().dump());
  write_file_atomically(
      folder / "tokenizer_config.json",
      OrderedJson{{"tokenizer_class", "PreTrainedTokenizerFast"},
                  {"eos_token", "<|im_end|>"},
                  {"pad_token", "<|pad|>"},
                  {"chat_template",
                   "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + "
                   "message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if "
                   "add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"}}
          .dump());
}

inline void write_tiny_language_model(const std::filesystem::path& folder,
                                      const OrderedJson& config = tiny_config(), std::uint64_t seed = 1) {
  write_tiny_tokenizer(folder);
  torch::manual_seed(seed);
  trainer::nn::Decoder decoder(trainer::language_model::shape_from_config(Json(config), "config.json"));
  decoder->initialise();
  trainer::weights::write_safetensors(folder / "model.safetensors", trainer::weights::state_dict(*decoder),
                                      {{"format", "pt"}});
  write_file_atomically(folder / "config.json", config.dump(2));
}

// Sums of two digits, which a tiny model learns the form of.
inline void write_sums(const std::filesystem::path& file, int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const int a = i * 7 % 10, b = i * 3 % 10;
    lines += OrderedJson{{"prompt", std::to_string(a) + "+" + std::to_string(b) + "="},
                         {"completion", std::to_string(a + b)}}
                 .dump() +
             "\n";
  }
  write_file_atomically(file, lines);
}

}  // namespace tune::tests
