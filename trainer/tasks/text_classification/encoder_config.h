#pragma once
// What a folder of Hugging Face says of its encoder: config.json.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/nn/text_encoder.h"
#include "tuner/core/json.h"

namespace tune::trainer::text_classification {

struct EncoderConfig {
  Json json;           // the whole file
  std::string family;  // its model_type: "bert"
  nn::EncoderLayout layout;
  std::vector<std::string> classes;  // of its head, in their order; empty where it does not name them
  std::optional<bool> multi_label;   // where it says
};

// The families that there are, as model_type and trainer.model name them.
const std::vector<std::string>& encoder_families();
// One sentence about it.
std::string describe_family(const std::string& family);
// The layout that transformers gives it where config.json says nothing.
nn::EncoderLayout default_layout(const std::string& family);

// Throws Error(kNotFound), and Error(kBadData) with the key for a family that is not known, positions that
// are not absolute, a decoder, numbers that contradict each other.
EncoderConfig read_encoder_config(const std::filesystem::path& file);
// The same, of its content; `place` names it in errors.
EncoderConfig encoder_config(const Json& json, const std::string& place);

// config.json of a model with a head for these classes, in fp32: `json` is that of the encoder that it began
// with, of which all else stays.
OrderedJson config_for_classes(const EncoderConfig& config, const std::vector<std::string>& classes,
                               bool multi_label);

}  // namespace tune::trainer::text_classification
