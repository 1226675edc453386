#include "trainer/tasks/language_model/gguf_names.h"

#include <array>

#include "trainer/nn/rotary.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

struct Pair {
  const char *gguf, *name;
};
constexpr std::array<Pair, 11> kOfLayer{{{"attn_q", "self_attn.q_proj"},
                                         {"attn_k", "self_attn.k_proj"},
                                         {"attn_v", "self_attn.v_proj"},
                                         {"attn_output", "self_attn.o_proj"},
                                         {"attn_q_norm", "self_attn.q_norm"},
                                         {"attn_k_norm", "self_attn.k_norm"},
                                         {"ffn_gate", "mlp.gate_proj"},
                                         {"ffn_up", "mlp.up_proj"},
                                         {"ffn_down", "mlp.down_proj"},
                                         {"attn_norm", "input_layernorm"},
                                         {"ffn_norm", "post_attention_layernorm"}}};
// Of Gemma 2 and 3, whose norms stand on both sides.
constexpr std::array<Pair, 3> kAround{{{"post_attention_norm", "post_attention_layernorm"},
                                       {"ffn_norm", "pre_feedforward_layernorm"},
                                       {"post_ffw_norm", "post_feedforward_layernorm"}}};
constexpr std::array<Pair, 3> kOthers{
    {{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}}};

// Calls `see(pair)` for the parts of a layer, until one says true.
template <typename See>
bool any_of_layer(const nn::DecoderShape& shape, See see) {
  if (shape.norms_around)
    for (const Pair& pair : kAround)
      if (see(pair)) return true;
  for (const Pair& pair : kOfLayer) {
    if (shape.norms_around && pair.gguf == std::string_view("ffn_norm")) continue;
    if (see(pair)) return true;
  }
  return false;
}

// "blk.3.attn_q.weight" into "3", "attn_q" and ".weight"; the first is empty outside layers.
struct NameParts {
  std::string layer, name, kind;
};
NameParts name_parts_of(const std::string& text, const std::string& prefix) {
  NameParts parts;
  const std::size_t dot = text.rfind('.');
  if (dot == std::string::npos) return {};
  parts.kind = text.substr(dot);
  parts.name = text.substr(0, dot);
  if (!parts.name.starts_with(prefix)) return parts;
  const std::size_t end = parts.name.find('.', prefix.size());
  if (end == std::string::npos) return parts;
  parts.layer = parts.name.substr(prefix.size(), end - prefix.size());
  parts.name = parts.name.substr(end + 1);
  return parts;
}

}  // namespace

std::optional<GgufNames::Place> GgufNames::place_of(const std::string& gguf) const {
  const NameParts parts = name_parts_of(gguf, "blk.");
  Place place;
  if (parts.layer.empty()) {
    for (const Pair& pair : kOthers)
      if (parts.name == pair.gguf) place.name = pair.name + parts.kind;
  } else {
    any_of_layer(shape_, [&](const Pair& pair) {
      if (parts.name != pair.gguf) return false;
      place.name = "model.layers." + parts.layer + "." + pair.name + parts.kind;
      return true;
    });
  }
  if (place.name.empty()) return std::nullopt;
  // llama.cpp lays the rows of Llama's queries and keys out for its own way to turn them.
  if (std::string(family_.gguf) == "llama") {
    if (parts.name == "attn_q") place.turned_heads = shape_.heads;
    if (parts.name == "attn_k") place.turned_heads = shape_.kv_heads;
  }
  place.adds_one = shape_.norms_add_one && place.name.ends_with("norm.weight");
  return place;
}

std::string GgufNames::in_file(const std::string& name) const {
  const NameParts parts = name_parts_of(name, "model.layers.");
  std::string found;
  if (parts.layer.empty()) {
    for (const Pair& pair : kOthers)
      if (parts.name == pair.name) found = pair.gguf + parts.kind;
  } else {
    any_of_layer(shape_, [&](const Pair& pair) {
      if (parts.name != pair.name) return false;
      found = "blk." + parts.layer + "." + pair.gguf + parts.kind;
      return true;
    });
  }
  TUNE_CHECK(!found.empty(), name);
  return found;
}

torch::Tensor GgufNames::from_file(const Place& place, const torch::Tensor& tensor) const {
  if (place.adds_one) return tensor - 1;
  if (place.turned_heads == 0) return tensor;
  return tensor.unflatten(0, {place.turned_heads, -1, 2}).transpose(1, 2).flatten(0, 2).contiguous();
}

torch::Tensor GgufNames::to_file(const std::string& name, const torch::Tensor& tensor) const {
  const Place place = *place_of(in_file(name));
  if (place.adds_one) return tensor.to(torch::kFloat) + 1;
  if (place.turned_heads == 0) return tensor;
  return tensor.unflatten(0, {place.turned_heads, 2, -1}).transpose(1, 2).flatten(0, 2).contiguous();
}

torch::Tensor GgufNames::rope_factors() const {
  if (shape_.rotary.kind != nn::RotaryKind::kLlama3) return {};
  nn::Rotary plain;
  plain.theta = shape_.rotary.theta;
  return nn::rotary_frequencies(plain, shape_.head_width) /
         nn::rotary_frequencies(shape_.rotary, shape_.head_width);
}

}  // namespace tune::trainer::language_model
