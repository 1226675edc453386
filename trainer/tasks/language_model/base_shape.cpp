#include "trainer/tasks/language_model/base_shape.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "trainer/nn/rotary.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

using nn::DecoderShape, nn::Rotary, nn::RotaryKind;

constexpr const char* kCure = "restore the config.json that came with the model";
// What no model has: a damaged or hostile file would else ask for all memory.
constexpr std::int64_t kMostLayers = 1024, kMostWidth = 1 << 18, kMostWords = 1 << 24,
                       kMostPositions = 1 << 28;

// Reads keys of config.json, with errors that name the file and the key.
class Config {
 public:
  Config(const Json& json, const std::string& place) : json_(json), place_(place) {
    if (!json.is_object()) throw Error(ExitCode::kBadData, place + ": not a JSON object", kCure);
  }
  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  const Json& at(const char* key) const { return json_[key]; }
  std::int64_t count(const char* key, std::int64_t most, std::int64_t fallback = 0) const {
    if (!has(key)) {
      if (fallback == 0) refuse(key, "is missing");
      return fallback;
    }
    const Json& value = json_[key];
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1 || value.get<std::int64_t>() > most)
      refuse(key, "is " + value.dump() + ", not from 1 to " + std::to_string(most));
    return value.get<std::int64_t>();
  }
  double number(const char* key, double fallback) const {
    if (!has(key)) return fallback;
    if (!json_[key].is_number()) refuse(key, "is " + json_[key].dump() + ", no number");
    return json_[key].get<double>();
  }
  std::optional<double> positive(const char* key) const {
    if (!has(key)) return std::nullopt;
    const double value = number(key, 0);
    if (!(value > 0)) refuse(key, "is " + json_[key].dump() + ", not above 0");
    return value;
  }
  bool flag(const char* key, bool fallback) const {
    if (!has(key)) return fallback;
    if (!json_[key].is_boolean()) refuse(key, "is " + json_[key].dump() + ", neither true nor false");
    return json_[key].get<bool>();
  }
  std::string text(const char* key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    if (!json_[key].is_string()) refuse(key, "is " + json_[key].dump() + ", no text");
    return json_[key].get<std::string>();
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& what) const {
    throw Error(ExitCode::kBadData, place_ + ": \"" + key + "\" " + what, kCure);
  }

 private:
  const Json& json_;
  const std::string place_;
};

// `json` is rope_parameters (transformers 5), or rope_scaling with rope_theta beside it.
Rotary rotary_from(const Json& json, double theta, const std::string& place) {
  Rotary rotary;
  rotary.theta = theta;
  if (json.is_null()) return rotary;
  const Config keys(json, place + ": rope_parameters");
  rotary.theta = keys.number("rope_theta", theta);
  const std::string kind = keys.text("rope_type", keys.text("type", "default"));
  if (keys.number("partial_rotary_factor", 1) != 1)
    keys.refuse("partial_rotary_factor", "is not 1, which is not computed here");
  if (!(rotary.theta > 1)) keys.refuse("rope_theta", "is not above 1");
  if (kind == "default") return rotary;
  rotary.factor = keys.number("factor", 0);
  if (!(rotary.factor > 0)) keys.refuse("factor", "is missing or not above 0");
  if (kind == "linear") {
    rotary.kind = RotaryKind::kLinear;
    return rotary;
  }
  rotary.original_positions = keys.number("original_max_position_embeddings", 0);
  if (kind != "llama3" && kind != "yarn")
    throw Error(ExitCode::kBadData, place + ": rope_type is \"" + kind + "\", which is not computed here",
                "take a model with default, linear, llama3 or yarn");
  if (!(rotary.original_positions > 0)) keys.refuse("original_max_position_embeddings", "is missing");
  if (kind == "llama3") {
    rotary.kind = RotaryKind::kLlama3;
    rotary.low_factor = keys.number("low_freq_factor", 1);
    rotary.high_factor = keys.number("high_freq_factor", 4);
    if (!(rotary.low_factor > 0 && rotary.high_factor > rotary.low_factor))
      keys.refuse("high_freq_factor", "is not above low_freq_factor");
    return rotary;
  }
  rotary.kind = RotaryKind::kYarn;
  rotary.fast_rotations = keys.number("beta_fast", 32);
  rotary.slow_rotations = keys.number("beta_slow", 1);
  rotary.truncate = keys.flag("truncate", true);
  const auto magnitude = [&](double of) {
    return rotary.factor <= 1 ? 1.0 : 0.1 * of * std::log(rotary.factor) + 1;
  };
  const double above = keys.number("mscale", 0), below = keys.number("mscale_all_dim", 0);
  rotary.magnitude = keys.number(
      "attention_factor", above != 0 && below != 0 ? magnitude(above) / magnitude(below) : magnitude(1));
  return rotary;
}

OrderedJson to_json(const Rotary& rotary) {
  OrderedJson json{{"rope_theta", rotary.theta}, {"rope_type", "default"}};
  if (rotary.kind == RotaryKind::kPlain) return json;
  json["factor"] = rotary.factor;
  if (rotary.kind == RotaryKind::kLinear) {
    json["rope_type"] = "linear";
    return json;
  }
  json["original_max_position_embeddings"] = static_cast<std::int64_t>(rotary.original_positions);
  if (rotary.kind == RotaryKind::kLlama3) {
    json["rope_type"] = "llama3";
    json["low_freq_factor"] = rotary.low_factor;
    json["high_freq_factor"] = rotary.high_factor;
    return json;
  }
  json["rope_type"] = "yarn";
  json["beta_fast"] = rotary.fast_rotations;
  json["beta_slow"] = rotary.slow_rotations;
  json["truncate"] = rotary.truncate;
  json["attention_factor"] = rotary.magnitude;
  return json;
}

bool starts_with(const std::string& text, const char* begin) { return text.starts_with(begin); }

// Windows of layers out of layer_types, or by the rule of the family where there is none.
std::vector<std::int64_t> windows_of(const Config& keys, const std::string& family, std::int64_t layers) {
  if (starts_with(family, "qwen") && !keys.flag("use_sliding_window", false)) return {};
  const std::int64_t window = keys.has("sliding_window") ? keys.count("sliding_window", kMostPositions) : 0;
  if (family == "llama" || family == "gemma" || window == 0) return {};
  std::vector<std::int64_t> windows(static_cast<std::size_t>(layers), 0);
  const bool listed = keys.has("layer_types");
  if (listed && (!keys.at("layer_types").is_array() ||
                 keys.at("layer_types").size() != static_cast<std::size_t>(layers)))
    keys.refuse("layer_types", "is no list of as many as num_hidden_layers");
  const std::int64_t pattern = keys.has("sliding_window_pattern")
                                   ? keys.count("sliding_window_pattern", kMostLayers)
                                   : 6,
                     first =
                         keys.has("max_window_layers") ? keys.count("max_window_layers", kMostPositions) : 28;
  for (std::int64_t i = 0; i < layers; ++i) {
    bool is_window = true;  // Mistral's layers all have one
    if (listed) {
      const Json& type = keys.at("layer_types")[static_cast<std::size_t>(i)];
      if (type != "sliding_attention" && type != "full_attention")
        keys.refuse("layer_types", "holds " + type.dump() + ", which is not computed here");
      is_window = type == "sliding_attention";
    } else if (starts_with(family, "qwen")) {
      is_window = i >= first;
    } else if (family == "gemma2") {
      is_window = (i + 1) % 2 != 0;
    } else if (family == "gemma3_text") {
      is_window = (i + 1) % pattern != 0;
    }
    if (is_window) windows[static_cast<std::size_t>(i)] = window;
  }
  return windows;
}

void read_rotaries(const Config& keys, const std::string& family, const std::string& place,
                   DecoderShape& shape) {
  const Json given = keys.has("rope_parameters") ? keys.at("rope_parameters") : Json(),
             scaling = keys.has("rope_scaling") ? keys.at("rope_scaling") : Json();
  if (family != "gemma3_text") {
    shape.rotary = rotary_from(given.is_null() ? scaling : given,
                               keys.number("rope_theta", family == "gemma3_text" ? 1e6 : 10000), place);
    return;
  }
  const auto of = [&](const char* layers, const char* key, double theta) {
    const Json own = given.is_object() && given.contains(layers) ? given[layers] : Json();
    return rotary_from(own, keys.number(key, theta), place);
  };
  shape.rotary = of("full_attention", "rope_theta", 1e6);
  if (given.is_null() && !scaling.is_null())
    shape.rotary = rotary_from(scaling, keys.number("rope_theta", 1e6), place);
  shape.window_rotary = of("sliding_attention", "rope_local_base_freq", 10000);
}

void read_family(const Config& keys, const std::string& family, DecoderShape& shape) {
  const bool gemma = starts_with(family, "gemma");
  const std::string activation =
      gemma ? keys.text("hidden_activation", keys.text("hidden_act", "gelu_pytorch_tanh"))
            : keys.text("hidden_act", "silu");
  // Gemma's first files say "gelu", and mean the approximation by a tangent.
  const std::vector<std::string> known = gemma ? std::vector<std::string>{"gelu_pytorch_tanh", "gelu"}
                                               : std::vector<std::string>{"silu", "swish"};
  if (std::find(known.begin(), known.end(), activation) == known.end())
    keys.refuse(gemma ? "hidden_activation" : "hidden_act",
                "is \"" + activation + "\", which is not computed here");
  shape.activation = gemma ? nn::DecoderActivation::kGeluTanh : nn::DecoderActivation::kSilu;
  const bool bias = keys.flag("attention_bias", false);
  shape.qkv_bias = family == "qwen2" || bias;
  shape.output_bias = family != "qwen2" && bias;
  shape.mlp_bias = keys.flag("mlp_bias", false);
  shape.head_norms = family == "qwen3" || family == "gemma3_text";
  shape.tied = keys.flag("tie_word_embeddings", gemma);
  if (!gemma) return;
  shape.norms_add_one = true;
  shape.embedding_factor = std::sqrt(static_cast<double>(shape.width));
  if (family == "gemma") return;
  if (keys.flag("use_bidirectional_attention", false))
    keys.refuse("use_bidirectional_attention", "is true, which is not computed here");
  shape.norms_around = true;
  shape.attention_factor = 1 / std::sqrt(keys.number("query_pre_attn_scalar", 256));
  if (family == "gemma2") {
    shape.score_cap =
        keys.has("attn_logit_softcapping") ? keys.positive("attn_logit_softcapping") : std::optional(50.0);
    shape.logit_cap =
        keys.has("final_logit_softcapping") ? keys.positive("final_logit_softcapping") : std::optional(30.0);
  } else {
    shape.score_cap = keys.positive("attn_logit_softcapping");
    shape.logit_cap = keys.positive("final_logit_softcapping");
  }
}

void check_heads(const DecoderShape& shape, const std::string& place) {
  if (shape.heads % shape.kv_heads != 0)
    throw Error(ExitCode::kBadData,
                place + ": " + std::to_string(shape.heads) + " attention heads cannot share " +
                    std::to_string(shape.kv_heads) + " heads of keys and values",
                kCure);
  if (shape.head_width % 2 != 0)
    throw Error(ExitCode::kBadData,
                place + ": heads of " + std::to_string(shape.head_width) + " numbers cannot be turned",
                kCure);
}

// llama.cpp writes the factors by which Llama 3 stretches frequencies, not the numbers that they come from:
// those of the models there are, are tried.
Rotary llama3_of(Rotary rotary, std::int64_t head_width, const std::vector<double>& factors,
                 const std::string& place) {
  const torch::Tensor plain = nn::rotary_frequencies(rotary, head_width);
  for (const double factor : {8.0, 32.0, 16.0}) {
    Rotary tried = rotary;
    tried.kind = RotaryKind::kLlama3;
    tried.factor = factor;
    tried.original_positions = 8192;
    const torch::Tensor own = plain / nn::rotary_frequencies(tried, head_width);
    if (own.size(0) != static_cast<std::int64_t>(factors.size())) break;
    if (own.to(torch::kDouble).allclose(torch::tensor(factors, torch::kDouble), 1e-3, 1e-3)) return tried;
  }
  throw Error(ExitCode::kBadData, place + ": its rope_freqs are not Llama 3's",
              "take the model as a Hugging Face folder, whose config.json says how positions are stretched");
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"llama", "LlamaForCausalLM", "llama", "Llama 2 and 3, SmolLM2, and what is laid out like them"},
      {"mistral", "MistralForCausalLM", "llama", "Mistral, whose layers may see a window"},
      {"qwen2", "Qwen2ForCausalLM", "qwen2", "Qwen 2 and 2.5"},
      {"qwen3", "Qwen3ForCausalLM", "qwen3", "Qwen 3"},
      {"gemma", "GemmaForCausalLM", "gemma", "Gemma"},
      {"gemma2", "Gemma2ForCausalLM", "gemma2", "Gemma 2"},
      {"gemma3_text", "Gemma3ForCausalLM", "gemma3", "Gemma 3, its texts"}};
  return all;
}

const Family& family_named(const std::string& model_type, const std::string& place) {
  std::vector<std::string> names;
  for (const Family& family : families()) {
    if (model_type == family.name) return family;
    names.emplace_back(family.name);
  }
  throw Error(ExitCode::kBadData,
              place + ": model_type is \"" + model_type + "\", which is not computed here",
              name_hint(model_type, names, "kinds of language models"));
}

DecoderShape shape_from_config(const Json& config, const std::string& place) {
  const Config keys(config, place);
  const std::string family = family_named(keys.text("model_type", ""), place).name;
  if (keys.has("quantization_config"))
    throw Error(ExitCode::kBadData,
                place + ": its weights are quantised as quantization_config says, which is not read",
                "take the model unquantised, or quantised as a .gguf file");
  DecoderShape shape;
  shape.vocabulary = keys.count("vocab_size", kMostWords);
  shape.width = keys.count("hidden_size", kMostWidth);
  shape.inner = keys.count("intermediate_size", kMostWidth * 8);
  shape.layers = keys.count("num_hidden_layers", kMostLayers);
  shape.heads = keys.count("num_attention_heads", kMostWidth);
  shape.kv_heads = keys.count("num_key_value_heads", kMostWidth, shape.heads);
  const std::int64_t usual = starts_with(family, "gemma") ? 256
                             : family == "qwen3"          ? 128
                                                          : shape.width / shape.heads;
  shape.head_width = keys.count("head_dim", kMostWidth, std::max<std::int64_t>(usual, 1));
  shape.positions = keys.count("max_position_embeddings", kMostPositions, 2048);
  shape.norm_epsilon = keys.number("rms_norm_eps", 1e-6);
  read_family(keys, family, shape);
  read_rotaries(keys, family, place, shape);
  shape.windows = windows_of(keys, family, shape.layers);
  check_heads(shape, place);
  return shape;
}

OrderedJson config_from_shape(const DecoderShape& shape, const Family& family) {
  const std::string name = family.name;
  OrderedJson config{{"architectures", {family.architecture}},
                     {"model_type", family.name},
                     {"vocab_size", shape.vocabulary},
                     {"hidden_size", shape.width},
                     {"intermediate_size", shape.inner},
                     {"num_hidden_layers", shape.layers},
                     {"num_attention_heads", shape.heads},
                     {"num_key_value_heads", shape.kv_heads},
                     {"head_dim", shape.head_width},
                     {"max_position_embeddings", shape.positions},
                     {"rms_norm_eps", shape.norm_epsilon},
                     {"tie_word_embeddings", shape.tied},
                     {"attention_bias", name != "qwen2" && shape.qkv_bias},
                     {"rope_theta", shape.rotary.theta}};
  if (name == "llama") config["mlp_bias"] = shape.mlp_bias;
  const bool gemma = starts_with(name, "gemma");
  config[gemma ? "hidden_activation" : "hidden_act"] = gemma ? "gelu_pytorch_tanh" : "silu";
  config["rope_parameters"] = to_json(shape.rotary);
  if (shape.window_rotary)
    config["rope_parameters"] = {{"full_attention", to_json(shape.rotary)},
                                 {"sliding_attention", to_json(*shape.window_rotary)}};
  if (shape.attention_factor)
    config["query_pre_attn_scalar"] = std::llround(1 / (*shape.attention_factor * *shape.attention_factor));
  if (name == "gemma2" || name == "gemma3_text") {
    config["attn_logit_softcapping"] = shape.score_cap ? OrderedJson(*shape.score_cap) : OrderedJson();
    config["final_logit_softcapping"] = shape.logit_cap ? OrderedJson(*shape.logit_cap) : OrderedJson();
  }
  const auto window = std::find_if(shape.windows.begin(), shape.windows.end(), [](auto w) { return w > 0; });
  if (window != shape.windows.end()) {
    config["sliding_window"] = *window;
    config["use_sliding_window"] = true;
    config["layer_types"] = OrderedJson::array();
    for (const std::int64_t each : shape.windows)
      config["layer_types"].push_back(each > 0 ? "sliding_attention" : "full_attention");
  } else if (name == "mistral") {
    config["sliding_window"] = OrderedJson();
  }
  return config;
}

DecoderShape shape_from_gguf(const std::map<std::string, Json>& values, bool has_output_layer,
                             bool has_qkv_bias, const std::vector<double>& rope_factors,
                             const std::string& place) {
  const auto architecture = values.find("general.architecture");
  const std::string name = architecture != values.end() && architecture->second.is_string()
                               ? architecture->second.get<std::string>()
                               : "";
  std::vector<std::string> known;
  std::string family;
  for (const Family& each : families()) {
    if (family.empty() && name == each.gguf) family = each.name;
    known.emplace_back(each.gguf);
  }
  if (family.empty())
    throw Error(ExitCode::kBadData,
                place + ": its architecture is \"" + name + "\", which is not computed here",
                name_hint(name, known, "architectures"));
  // The values under the names that config.json has for them.
  Json config{{"model_type", family}};
  const auto take = [&](const char* from, const char* to) {
    const auto found = values.find(name + "." + from);
    if (found != values.end()) config[to] = found->second;
  };
  take("embedding_length", "hidden_size");
  take("feed_forward_length", "intermediate_size");
  take("block_count", "num_hidden_layers");
  take("attention.head_count", "num_attention_heads");
  take("attention.head_count_kv", "num_key_value_heads");
  take("attention.layer_norm_rms_epsilon", "rms_norm_eps");
  take("attention.key_length", "head_dim");
  take("context_length", "max_position_embeddings");
  take("rope.freq_base", "rope_theta");
  take("attn_logit_softcapping", "attn_logit_softcapping");
  take("final_logit_softcapping", "final_logit_softcapping");
  take("attention.sliding_window", "sliding_window");
  const auto tokens = values.find("tokenizer.ggml.tokens");
  if (tokens != values.end() && tokens->second.is_array()) config["vocab_size"] = tokens->second.size();
  config["tie_word_embeddings"] = !has_output_layer;
  if (!config.contains("head_dim") && config.contains("hidden_size") &&
      config.contains("num_attention_heads")) {
    const Config keys(config, place);
    config["head_dim"] = std::max<std::int64_t>(
        1, keys.count("hidden_size", kMostWidth) / keys.count("num_attention_heads", kMostWidth));
  }
  if (const auto kind = values.find(name + ".rope.scaling.type");
      kind != values.end() && kind->second != "none") {
    Json scaling{{"rope_type", kind->second}};
    for (const auto& [from, to] :
         {std::pair("rope.scaling.factor", "factor"),
          std::pair("rope.scaling.original_context_length", "original_max_position_embeddings")})
      if (const auto value = values.find(name + "." + from); value != values.end())
        scaling[to] = value->second;
    if (config.contains("rope_theta")) scaling["rope_theta"] = config["rope_theta"];
    config["rope_scaling"] = scaling;
  }
  if (family == "gemma2" || family == "gemma3_text")
    config["query_pre_attn_scalar"] = config.value("head_dim", Json(256));
  DecoderShape shape = shape_from_config(config, place);
  if (family == "llama") shape.qkv_bias = has_qkv_bias;
  if (!rope_factors.empty()) shape.rotary = llama3_of(shape.rotary, shape.head_width, rope_factors, place);
  return shape;
}

std::vector<std::pair<std::string, Json>> gguf_values_of(const DecoderShape& shape, const Family& family,
                                                         const std::string& name) {
  const std::string prefix = std::string(family.gguf) + ".";
  std::vector<std::pair<std::string, Json>> values{
      {"general.architecture", family.gguf},
      {"general.name", name},
      {prefix + "vocab_size", shape.vocabulary},
      {prefix + "context_length", shape.positions},
      {prefix + "embedding_length", shape.width},
      {prefix + "block_count", shape.layers},
      {prefix + "feed_forward_length", shape.inner},
      {prefix + "attention.head_count", shape.heads},
      {prefix + "attention.head_count_kv", shape.kv_heads},
      {prefix + "attention.key_length", shape.head_width},
      {prefix + "attention.value_length", shape.head_width},
      {prefix + "attention.layer_norm_rms_epsilon", shape.norm_epsilon},
      {prefix + "rope.dimension_count", shape.head_width},
      {prefix + "rope.freq_base", shape.rotary.theta}};
  if (shape.rotary.kind == RotaryKind::kLinear || shape.rotary.kind == RotaryKind::kYarn) {
    const bool yarn = shape.rotary.kind == RotaryKind::kYarn;
    values.emplace_back(prefix + "rope.scaling.type", yarn ? "yarn" : "linear");
    values.emplace_back(prefix + "rope.scaling.factor", shape.rotary.factor);
    if (yarn)
      values.emplace_back(prefix + "rope.scaling.original_context_length",
                          static_cast<std::int64_t>(shape.rotary.original_positions));
  }
  if (shape.score_cap) values.emplace_back(prefix + "attn_logit_softcapping", *shape.score_cap);
  if (shape.logit_cap) values.emplace_back(prefix + "final_logit_softcapping", *shape.logit_cap);
  const auto window = std::find_if(shape.windows.begin(), shape.windows.end(), [](auto w) { return w > 0; });
  if (window != shape.windows.end()) values.emplace_back(prefix + "attention.sliding_window", *window);
  return values;
}

}  // namespace tune::trainer::language_model
