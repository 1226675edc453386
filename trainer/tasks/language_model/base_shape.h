#pragma once
// The shapes of language models as their makers write them down: config.json, and the values of a GGUF file.
#include <map>
#include <string>
#include <vector>

#include "trainer/nn/decoder_shape.h"
#include "tuner/core/json.h"

namespace tune::trainer::language_model {

// A kind of model that is read: what config.json calls model_type.
struct Family {
  const char *name, *architecture;  // "llama", "LlamaForCausalLM"
  const char* gguf;                 // general.architecture
  const char* description;
};
const std::vector<Family>& families();
// Throws Error(kBadData) with the names there are.
const Family& family_named(const std::string& model_type, const std::string& place);

// Keys that are absent have the defaults of transformers 5. Throws Error(kBadData) naming the key for what is
// missing, out of range, or computed in a way that is not known (another activation, another kind of rope).
nn::DecoderShape shape_from_config(const Json& config, const std::string& place);
// The same model for Hugging Face's library.
OrderedJson config_from_shape(const nn::DecoderShape& shape, const Family& family);

// Out of a GGUF file's values and, of Llama 3, its tensor of factors (`rope_factors`, empty without).
nn::DecoderShape shape_from_gguf(const std::map<std::string, Json>& values, bool has_output_layer,
                                 bool has_qkv_bias, const std::vector<double>& rope_factors,
                                 const std::string& place);
std::vector<std::pair<std::string, Json>> gguf_values_of(const nn::DecoderShape& shape, const Family& family,
                                                         const std::string& name);

}  // namespace tune::trainer::language_model
