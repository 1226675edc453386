#pragma once
// A classifier of texts on disk, as transformers loads it too: config.json, model.safetensors and the files
// of its tokenizer; beside them labels.json, preprocessing.json and model.json.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/nn/text_encoder.h"
#include "trainer/tasks/text_classification/encoder_config.h"
#include "trainer/text/tokenizer.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::text_classification {

// What it tells apart, and what it makes of texts.
struct TextForm {
  std::vector<std::string> classes;
  bool multi_label = false;
  bool pairs = false;            // each example is two texts
  std::size_t max_length = 256;  // tokens, with those that stand for its ends
};

// Writes all but model.json. Classes go into config.json too.
void write_model_files(const std::filesystem::path& folder, const weights::TensorMap& tensors,
                       const EncoderConfig& config, const text::Tokenizer& tokenizer, const TextForm& form);

struct LoadedTextClassifier {
  EncoderConfig config;
  TextForm form;
  text::Tokenizer tokenizer;
  std::shared_ptr<nn::TextEncoder> network;  // in eval mode, on the CPU
};

// Reads a folder to use it. Throws Error(kNotFound) when a file is missing, Error(kBadData) when files
// contradict each other or the weights do not fit the model.
LoadedTextClassifier load_text_classifier(const std::filesystem::path& folder);

// Refuses a tokenizer that does not belong to the encoder: one whose ids have no row, that has not half
// as many ids as there are rows, or that pads with another id. `weights` names the encoder's folder. Doubts
// go to `notes`. Throws Error(kBadData).
void check_tokenizer(const text::Tokenizer& tokenizer, const nn::EncoderLayout& layout,
                     const std::filesystem::path& weights, std::ostream& notes);

}  // namespace tune::trainer::text_classification
