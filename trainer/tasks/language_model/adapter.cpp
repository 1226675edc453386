#include "trainer/tasks/language_model/adapter.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "trainer/tasks/language_model/given_values.h"
#include "trainer/weights/initial_weights.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::language_model {
namespace {

constexpr const char *kPrefix = "base_model.model.", *kA = ".lora_A.", *kB = ".lora_B.";

// The name of a linear layer, or its end behind a point, as PEFT matches it.
bool is_called(const std::string& layer, const std::string& target) {
  return layer == target || layer.ends_with("." + target);
}

bool is_target(const std::string& layer, const LoraSettings& settings) {
  return settings.targets.empty() ||
         std::any_of(settings.targets.begin(), settings.targets.end(),
                     [&](const std::string& target) { return is_called(layer, target); });
}

std::vector<std::string> names_of(const Json& value, const std::string& place, const char* key,
                                  const char* example) {
  std::vector<std::string> names;
  if (value.is_string())
    names.push_back(value);
  else if (value.is_array())
    for (const Json& name : value) {
      if (!name.is_string()) names.clear();
      if (!name.is_string()) break;
      names.push_back(name);
    }
  if (names.empty())
    throw Error(ExitCode::kBadSpec, place + "." + key + " is " + value.dump(),
                std::string("a list of names, as in ") + example);
  return names;
}

// PEFT's patterns are regular expressions, of which names are written: those alone are read.
std::map<std::string, double> patterns_of(const Json& value, const std::string& place, double most) {
  std::map<std::string, double> patterns;
  if (value.is_null()) return patterns;
  if (!value.is_object())
    throw Error(ExitCode::kBadSpec, place + " is " + value.dump(), R"(an object, as in {"q_proj": 16})");
  for (const auto& [name, number] : value.items()) {
    if (name.find_first_of("\\^$*+?()[]{}|") != std::string::npos)
      throw Error(ExitCode::kBadSpec, place + ": \"" + name + "\" is a regular expression, which is not read",
                  "write the names of layers, or their ends");
    patterns[name] = GivenValue(number, place + "." + name).number(1e-6, most);
  }
  return patterns;
}

double by_pattern(const std::map<std::string, double>& patterns, const std::string& layer, double fallback) {
  for (const auto& [name, value] : patterns)
    if (is_called(layer, name)) return value;
  return fallback;
}

std::string names_text(nn::Decoder& decoder) {
  std::set<std::string> names;
  for (const auto& [layer, module] : decoder->linear_layers())
    names.insert(layer.substr(layer.rfind('.') + 1));
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Parameters of the modules that are trained and saved whole.
bool is_saved(const std::string& parameter, const LoraSettings& settings) {
  const std::string module = parameter.substr(0, parameter.rfind('.'));
  return std::any_of(settings.saved_modules.begin(), settings.saved_modules.end(),
                     [&](const std::string& name) { return is_called(module, name); });
}

void check_saved(nn::Decoder& decoder, const LoraSettings& settings, ExitCode code,
                 const std::string& place) {
  for (const std::string& name : settings.saved_modules) {
    // A table that is shared no longer is, once one of its two uses is trained: so PEFT has it.
    if (is_called("lm_head", name) || is_called("model.embed_tokens", name)) decoder->untie();
    std::set<std::string> known;
    bool found = false;
    for (const auto& parameter : decoder->named_parameters()) {
      const std::string module = parameter.key().substr(0, parameter.key().rfind('.'));
      found = found || is_called(module, name);
      known.insert(module.substr(module.rfind('.') + 1));
    }
    if (!found)
      throw Error(code, place + ": modules_to_save names \"" + name + "\", which the model does not have",
                  name_hint(name, {known.begin(), known.end()}, "modules"));
  }
}

bool trains_bias(const std::string& parameter, const LoraSettings& settings) {
  if (!parameter.ends_with(".bias") || settings.bias == "none") return false;
  return settings.bias == "all" || is_target(parameter.substr(0, parameter.rfind('.')), settings);
}

void freeze_base(nn::Decoder& decoder, const LoraSettings& settings) {
  for (auto& parameter : decoder->named_parameters()) {
    const std::string& name = parameter.key();
    const bool trained = name.find(kA) != std::string::npos || name.find(kB) != std::string::npos ||
                         is_saved(name, settings) || trains_bias(name, settings);
    if (parameter.value().is_floating_point()) {
      // What is trained beside an adapter is trained in fp32, as the adapter is.
      if (trained && parameter.value().scalar_type() != at::kFloat)
        parameter.value().set_data(parameter.value().to(at::kFloat));
      parameter.value().set_requires_grad(trained);
    }
  }
}

// PEFT puts the base's layer into one of its own.
std::string in_peft(const std::string& name, const LoraSettings& settings) {
  const std::size_t dot = name.rfind('.');
  if (name.ends_with(".bias") && is_target(name.substr(0, dot), settings) &&
      name.find("_proj") != std::string::npos)
    return kPrefix + name.substr(0, dot) + ".base_layer.bias";
  return kPrefix + name;
}

// What an adapter's file may hold, under the model's own names: PEFT's prefix and its name of the base's
// layer are taken off, and "lora_A.weight" gets the adapter's name.
std::string own_name(std::string name, const std::string& adapter) {
  if (name.starts_with(kPrefix)) name = name.substr(std::string(kPrefix).size());
  for (const char* part : {".base_layer", ".modules_to_save"})
    if (const std::size_t at = name.find(part); at != std::string::npos)
      name.erase(at, std::string(part).size());
  for (const char* part : {kA, kB})
    if (const std::size_t at = name.find(part); at != std::string::npos)
      return name.substr(0, at) + part + adapter + ".weight";
  return name;
}

[[noreturn]] void refuse_adapter(const fs::path& folder, const std::string& whose, const std::string& what) {
  throw Error(ExitCode::kBadData,
              folder.string() + ": an adapter of another model than " + whose + ": " + what,
              "name the base that it was trained on, or an adapter of this one");
}

}  // namespace

std::int64_t LoraSettings::rank_of(const std::string& layer) const {
  return std::llround(by_pattern(ranks, layer, static_cast<double>(rank)));
}

double LoraSettings::scale_of(const std::string& layer, std::int64_t of_rank) const {
  const auto divisor = static_cast<double>(of_rank);
  return by_pattern(alphas, layer, alpha) / (rank_stabilised ? std::sqrt(divisor) : divisor);
}

LoraSettings lora_settings(const Json& json, const std::string& place) {
  LoraSettings settings;
  if (!json.is_object() && !json.is_null())
    throw Error(ExitCode::kBadSpec, place + " is " + json.dump(), R"(an object, as in {"r": 8, "alpha": 8})");
  std::set<std::string> seen;
  for (const auto& [key, value] : json.items()) {
    // The same setting under two names is one setting.
    const std::string name = key == "lora_alpha" ? "alpha" : key == "lora_dropout" ? "dropout" : key;
    if (!seen.insert(name).second)
      throw Error(ExitCode::kBadSpec, place + " says " + name + " twice, as " + name + " and as lora_" + name,
                  "leave one of them out");
    const GivenValue given(value, place + "." + key);
    if (name == "r")
      settings.rank = given.whole(1, 4096);
    else if (name == "alpha")
      settings.alpha = given.number(1e-6, 1e6);
    else if (name == "dropout")
      settings.dropout = given.number(0, 0.95);
    else if (name == "bias")
      settings.bias = given.one_of({"none", "all", "lora_only"});
    else if (name == "use_rslora")
      settings.rank_stabilised = given.flag();
    else if (name == "fan_in_fan_out")
      settings.fan_in_fan_out = given.flag();
    else if (name == "target_modules")
      settings.targets =
          value == "all-linear" || value.is_null()
              ? std::vector<std::string>{}
              : names_of(value, place, "target_modules", R"(["q_proj", "v_proj"], or "all-linear")");
    else if (name == "rank_pattern")
      settings.ranks = patterns_of(value, place + ".rank_pattern", 4096);
    else if (name == "alpha_pattern")
      settings.alphas = patterns_of(value, place + ".alpha_pattern", 1e6);
    else if (name == "modules_to_save")
      settings.saved_modules = value.is_null() ? std::vector<std::string>{}
                                               : names_of(value, place, "modules_to_save", R"(["lm_head"])");
    else
      throw Error(ExitCode::kBadSpec, place + " has no key \"" + key + "\"",
                  name_hint(key,
                            {"r", "alpha", "lora_alpha", "dropout", "lora_dropout", "target_modules",
                             "fan_in_fan_out", "bias", "use_rslora", "modules_to_save", "rank_pattern",
                             "alpha_pattern"},
                            "keys"));
  }
  if (!seen.contains("target_modules")) settings.targets = {"q_proj", "v_proj"};  // PEFT's for these models
  return settings;
}

OrderedJson to_json(const LoraSettings& settings) {
  return {{"r", settings.rank},
          {"lora_alpha", settings.alpha},
          {"lora_dropout", settings.dropout},
          {"target_modules",
           settings.targets.empty() ? OrderedJson("all-linear") : OrderedJson(settings.targets)},
          {"bias", settings.bias},
          {"use_rslora", settings.rank_stabilised},
          {"modules_to_save",
           settings.saved_modules.empty() ? OrderedJson() : OrderedJson(settings.saved_modules)},
          {"rank_pattern", settings.ranks},
          {"alpha_pattern", settings.alphas},
          {"fan_in_fan_out", false}};
}

void add_adapter(nn::Decoder& decoder, const std::string& name, const LoraSettings& settings) {
  for (const std::string& target : settings.targets) {
    bool found = false;
    for (const auto& [layer, module] : decoder->linear_layers()) found = found || is_called(layer, target);
    if (!found)
      throw Error(ExitCode::kBadSpec,
                  "lora_config.target_modules names \"" + target + "\", which matches no linear layer",
                  "the layers are " + names_text(decoder) +
                      (is_called("lm_head", target) || is_called("model.embed_tokens", target)
                           ? "; what is trained whole is named in modules_to_save"
                           : ""));
  }
  check_saved(decoder, settings, ExitCode::kBadSpec, "lora_config");
  for (auto& [layer, module] : decoder->linear_layers())
    if (is_target(layer, settings))
      module->add_adapter(name, settings.rank_of(layer), settings.scale_of(layer, settings.rank_of(layer)),
                          settings.dropout);
  freeze_base(decoder, settings);
  decoder->use_adapter(name);
}

bool is_adapter_folder(const fs::path& folder) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  return fs::exists(folder / kAdapterConfig, ignored);
}

AdapterFolder read_adapter_config(const fs::path& folder) {
  const fs::path file = folder / kAdapterConfig;
  const Json json = weights::read_model_json(file);
  const auto refuse = [&](const std::string& what) {
    throw Error(ExitCode::kBadData, file.string() + ": " + what,
                "an adapter of plain LoRA is read: peft_type LORA");
  };
  if (!json.is_object() || json.value("peft_type", Json()) != "LORA") refuse("peft_type is no LORA");
  for (const char* key : {"use_dora", "lora_bias", "use_qalora"})
    if (json.value(key, Json()) == true) refuse(std::string(key) + " is true, which is not computed here");
  for (const char* key :
       {"megatron_config", "layer_replication", "alora_invocation_tokens", "arrow_config", "kasa_config",
        "monteclora_config", "velora_config", "use_bdlora", "target_parameters", "trainable_token_indices"})
    if (json.contains(key) && !json[key].is_null() && json[key] != false && !json[key].empty())
      refuse(std::string(key) + " is not computed here");
  Json own = Json::object();
  for (const char* key : {"r", "lora_alpha", "lora_dropout", "bias", "use_rslora", "modules_to_save",
                          "rank_pattern", "alpha_pattern"})
    if (json.contains(key) && !json[key].is_null()) own[key] = json[key];
  // Which layers there are, the weights say; the names are for those who write the file again.
  const Json targets = json.value("target_modules", Json());
  own["target_modules"] = targets.is_array() && !targets.empty() ? targets : Json("all-linear");
  AdapterFolder adapter;
  try {
    adapter.settings = lora_settings(own, file.string());
  } catch (const Error& error) {
    throw Error(ExitCode::kBadData, error.what(), error.hint());
  }
  const Json base = json.value("base_model_name_or_path", Json());
  if (base.is_string()) adapter.base = base;
  return adapter;
}

LoraSettings load_adapter(nn::Decoder& decoder, const std::string& name, const fs::path& folder,
                          const std::string& whose) {
  const LoraSettings settings = read_adapter_config(folder).settings;
  const fs::path file = folder / kAdapterFile;
  weights::TensorMap tensors;
  for (auto& [key, tensor] : weights::read_safetensors(file).tensors)
    tensors[own_name(key, name)] = tensor.to(at::kFloat);
  check_saved(decoder, settings, ExitCode::kBadData, (folder / kAdapterConfig).string());
  for (auto& [layer, module] : decoder->linear_layers()) {
    const auto a = tensors.find(layer + kA + name + ".weight");
    if (a == tensors.end()) continue;
    if (a->second.dim() != 2 || a->second.size(0) < 1)
      refuse_adapter(folder, whose, a->first + " is no matrix");
    const std::int64_t rank = a->second.size(0);
    module->add_adapter(name, rank, settings.scale_of(layer, rank), settings.dropout);
  }
  weights::TensorMap own = weights::state_dict(*decoder);
  bool any = false;
  const torch::NoGradGuard no_grad;
  for (const auto& [key, tensor] : tensors) {
    const auto target = own.find(key);
    if (target == own.end()) refuse_adapter(folder, whose, "the model has no layer for " + key);
    if (target->second.sizes() != tensor.sizes())
      refuse_adapter(folder, whose,
                     key + " is " + weights::shape_text(tensor.sizes()) + " in the adapter, and " +
                         weights::shape_text(target->second.sizes()) + " in the model");
    any = any || key.find(kA) != std::string::npos;
  }
  if (!any) refuse_adapter(folder, whose, "its file holds no lora_A");
  for (const auto& [key, tensor] : own)
    if ((key.find(kA + name + ".") != std::string::npos || key.find(kB + name + ".") != std::string::npos) &&
        !tensors.contains(key))
      refuse_adapter(folder, whose, "its file has no " + key);
  freeze_base(decoder, settings);
  own = weights::state_dict(*decoder);
  for (const auto& [key, tensor] : tensors) own.at(key).copy_(tensor);
  decoder->use_adapter(name);
  return settings;
}

void write_adapter(const fs::path& folder, const weights::TensorMap& tensors, const std::string& name,
                   const LoraSettings& settings, const fs::path& base) {
  weights::TensorMap saved;
  std::set<std::string> ends;
  for (const auto& [key, tensor] : tensors) {
    const std::string a = kA + name + ".weight", b = kB + name + ".weight";
    if (key.ends_with(a) || key.ends_with(b)) {
      const std::string layer = key.substr(0, key.size() - a.size());
      ends.insert(layer.substr(layer.rfind('.') + 1));
      saved[kPrefix + layer + (key.ends_with(a) ? ".lora_A.weight" : ".lora_B.weight")] = tensor;
    } else if (is_saved(key, settings) || trains_bias(key, settings)) {
      saved[in_peft(key, settings)] = tensor;
    }
  }
  OrderedJson config = to_json(settings);
  // PEFT wants the names themselves where it loads: "all-linear" is for making an adapter.
  if (settings.targets.empty()) config["target_modules"] = std::vector<std::string>(ends.begin(), ends.end());
  OrderedJson whole{{"peft_type", "LORA"},
                    {"task_type", "CAUSAL_LM"},
                    {"base_model_name_or_path", base.string()},
                    {"inference_mode", true}};
  whole.update(config);
  fs::create_directories(folder);
  weights::write_safetensors(folder / kAdapterFile, saved, {{"format", "pt"}});
  write_file_atomically(folder / kAdapterConfig, whole.dump(2) + "\n");
}

void merge_adapter(weights::TensorMap& base, const weights::TensorMap& tensors, const std::string& name,
                   const LoraSettings& settings) {
  const std::string a_end = kA + name + ".weight", table = "model.embed_tokens.weight";
  if (is_saved(table, settings) && !base.contains("lm_head.weight")) base["lm_head.weight"] = base.at(table);
  for (const auto& [key, tensor] : tensors) {
    if (key.ends_with(a_end)) {
      const std::string layer = key.substr(0, key.size() - a_end.size());
      const torch::Tensor a = tensor.to(at::kFloat),
                          b = tensors.at(layer + kB + name + ".weight").to(at::kFloat);
      torch::Tensor& weight = base.at(layer + ".weight");
      weight = (weight.to(at::kFloat) + b.matmul(a) * settings.scale_of(layer, a.size(0)))
                   .to(weight.scalar_type());
    } else if (is_saved(key, settings) || trains_bias(key, settings)) {
      const auto found = base.find(key);
      const at::ScalarType dtype =
          found != base.end() ? found->second.scalar_type() : base.at(table).scalar_type();
      base[key] = tensor.to(dtype);
    }
  }
}

}  // namespace tune::trainer::language_model
