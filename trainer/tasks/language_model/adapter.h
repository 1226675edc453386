#pragma once
// Low-rank adapters as PEFT has them: their settings, their files, and how they come onto a model.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/nn/decoder.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/json.h"

namespace tune::trainer::language_model {

// The keys of adapter_config.json that are computed; defaults are PEFT's.
struct LoraSettings {
  std::int64_t rank = 8;
  double alpha = 8, dropout = 0;
  std::vector<std::string> targets;  // names of linear layers or of their ends ("q_proj"); empty: all of them
  std::string bias = "none";         // none, all or lora_only: which biases are trained too
  bool rank_stabilised = false;      // use_rslora: alpha / sqrt(r) in place of alpha / r
  std::vector<std::string> saved_modules;  // modules_to_save: trained and saved whole
  bool fan_in_fan_out = false;  // of layers that lay weights the other way round; there are none here

  std::map<std::string, double> ranks, alphas;  // rank_pattern, alpha_pattern: of layers that differ

  std::int64_t rank_of(const std::string& layer) const;
  // What B A is multiplied by.
  double scale_of(const std::string& layer, std::int64_t of_rank) const;
};

// `json` is lora_config, with PEFT's names or those of other products (alpha, dropout); numbers and truth
// values may be texts. `place` names it in errors. Throws Error(kBadSpec) with the key and the cure.
LoraSettings lora_settings(const Json& json, const std::string& place);
OrderedJson to_json(const LoraSettings& settings);

// Puts a new adapter of that name onto `decoder`, uses it, and freezes all else but what the settings train
// too. Throws Error(kBadSpec) where targets match nothing, with the names that there are.
void add_adapter(nn::Decoder& decoder, const std::string& name, const LoraSettings& settings);

inline constexpr const char* kAdapterConfig = "adapter_config.json";
inline constexpr const char* kAdapterFile = "adapter_model.safetensors";
bool is_adapter_folder(const std::filesystem::path& folder);

struct AdapterFolder {
  LoraSettings settings;
  std::string base;  // base_model_name_or_path; "" where it does not say
};
// Throws Error(kNotFound), Error(kBadData), for a kind of adapter that is not computed too (DoRA, other
// peft_types).
AdapterFolder read_adapter_config(const std::filesystem::path& folder);

// Puts the adapter of a folder onto `decoder` under that name, with its weights. Layers that it has and how
// it scales are read from the folder: ranks and alphas may differ from layer to layer. `whose` names the
// base. Throws Error(kBadData) for an adapter of another model, naming what does not fit.
LoraSettings load_adapter(nn::Decoder& decoder, const std::string& name, const std::filesystem::path& folder,
                          const std::string& whose);

// Writes it as PEFT does. `tensors` are the model's, under its own names, adapters of the name `name` among
// them.
void write_adapter(const std::filesystem::path& folder, const weights::TensorMap& tensors,
                   const std::string& name, const LoraSettings& settings, const std::filesystem::path& base);

// `base` are the base's weights under Hugging Face's names; what the adapter changes is added to them in fp32
// and rounded to their dtype, and what it saves whole takes their place.
void merge_adapter(weights::TensorMap& base, const weights::TensorMap& tensors, const std::string& name,
                   const LoraSettings& settings);

}  // namespace tune::trainer::language_model
