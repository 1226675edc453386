#pragma once
// A tiny encoder in a folder, as transformers writes it, with random weights and a WordPiece vocabulary; and
// texts that it can learn to tell apart.
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/tasks/text_classification/encoder_config.h"
#include "trainer/weights/safetensors.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {

inline const std::vector<std::string>& tiny_words() {
  static const std::vector<std::string> words{"[PAD]", "[UNK]", "[CLS]",  "[SEP]", "[MASK]", "the",  "a",
                                              "film",  "was",   "is",     "very",  "good",   "nice", "great",
                                              "bad",   "poor",  "boring", "##ly",  ".",      "we",   "saw"};
  return words;
}

inline Json tiny_config(const std::string& family = "bert") {
  const auto words = static_cast<std::int64_t>(tiny_words().size());
  if (family == "distilbert")
    return {{"model_type", family},
            {"dim", 16},
            {"n_layers", 2},
            {"n_heads", 2},
            {"hidden_dim", 24},
            {"vocab_size", words},
            {"max_position_embeddings", 32},
            {"pad_token_id", 0}};
  return {{"model_type", family},          {"hidden_size", 16},
          {"num_hidden_layers", 2},        {"num_attention_heads", 2},
          {"intermediate_size", 24},       {"vocab_size", words},
          {"max_position_embeddings", 32}, {"type_vocab_size", 2},
          {"layer_norm_eps", 1e-12},       {"pad_token_id", 0},
          {"torch_dtype", "float32"},      {"architectures", {"BertModel"}}};
}

inline void write_vocabulary(const std::filesystem::path& folder) {
  std::string vocabulary;
  for (const std::string& word : tiny_words()) vocabulary += word + "\n";
  write_file_atomically(folder / "vocab.txt", vocabulary);
}

// Without a layer for classes, and without prefix, as encoders are saved by themselves.
inline void write_tiny_encoder(const std::filesystem::path& folder, const std::string& family = "bert") {
  std::filesystem::create_directories(folder);
  const Json config = tiny_config(family);
  torch::manual_seed(11);
  const trainer::nn::TextEncoder network(
      trainer::text_classification::encoder_config(config, (folder / "config.json").string()).layout, 2);
  trainer::weights::TensorMap tensors;
  for (const auto& [name, tensor] : trainer::weights::state_dict(network))
    if (name.starts_with(network.prefix()))
      tensors[name.substr(network.prefix().size())] =
          tensor.dim() > 1 ? tensor * 5 : tensor;  // telling, without training
  trainer::weights::write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
  write_file_atomically(folder / "config.json", config.dump());
  write_vocabulary(folder);
}

// `count` texts of two kinds, which differ in a word, of different lengths: a CSV without header.
inline std::string tiny_texts(int count, std::uint64_t seed = 1) {
  const std::vector<std::string> good{"good", "nice", "great"}, bad{"bad", "poor", "boring"},
      others{"the film was very", "we saw a", "a film is", "the", "we saw the film . the film is very"};
  std::string rows;
  Rng rng(seed, 1);
  for (int i = 0; i < count; ++i) {
    const std::vector<std::string>& words = i % 2 == 0 ? bad : good;
    rows += std::to_string(i % 2) + "," + others[rng.below(others.size())] + " " +
            words[rng.below(words.size())] + " " + others[rng.below(others.size())] + " .\n";
  }
  return rows;
}

}  // namespace tune::tests
