#include "trainer/nn/decoder_shape.h"

namespace tune::trainer::nn {
namespace {

// Calls `add(name, out, in, has_bias)` for the linear layers of a layer.
template <typename Add>
void for_attention(const DecoderShape& shape, const std::string& prefix, Add add) {
  const std::int64_t all = shape.heads * shape.head_width, shared = shape.kv_heads * shape.head_width;
  add(prefix + "self_attn.q_proj", all, shape.width, shape.qkv_bias);
  add(prefix + "self_attn.k_proj", shared, shape.width, shape.qkv_bias);
  add(prefix + "self_attn.v_proj", shared, shape.width, shape.qkv_bias);
  add(prefix + "self_attn.o_proj", shape.width, all, shape.output_bias);
}

template <typename Add>
void for_mlp(const DecoderShape& shape, const std::string& prefix, Add add) {
  add(prefix + "mlp.gate_proj", shape.inner, shape.width, shape.mlp_bias);
  add(prefix + "mlp.up_proj", shape.inner, shape.width, shape.mlp_bias);
  add(prefix + "mlp.down_proj", shape.width, shape.inner, shape.mlp_bias);
}

std::string layer_prefix(std::int64_t layer) { return "model.layers." + std::to_string(layer) + "."; }

}  // namespace

std::vector<TensorShape> tensors_of(const DecoderShape& shape) {
  std::vector<TensorShape> tensors{{"model.embed_tokens.weight", {shape.vocabulary, shape.width}}};
  const auto add_linear = [&](const std::string& name, std::int64_t out, std::int64_t in, bool has_bias) {
    tensors.push_back({name + ".weight", {out, in}});
    if (has_bias) tensors.push_back({name + ".bias", {out}});
  };
  const auto add_norm = [&](const std::string& name, std::int64_t size) {
    tensors.push_back({name + ".weight", {size}});
  };
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = layer_prefix(layer);
    for_attention(shape, prefix, add_linear);
    if (shape.head_norms)
      for (const char* name : {"self_attn.q_norm", "self_attn.k_norm"})
        add_norm(prefix + name, shape.head_width);
    for_mlp(shape, prefix, add_linear);
    add_norm(prefix + "input_layernorm", shape.width);
    add_norm(prefix + "post_attention_layernorm", shape.width);
    if (shape.norms_around)
      for (const char* name : {"pre_feedforward_layernorm", "post_feedforward_layernorm"})
        add_norm(prefix + name, shape.width);
  }
  add_norm("model.norm", shape.width);
  if (!shape.tied) tensors.push_back({"lm_head.weight", {shape.vocabulary, shape.width}});
  return tensors;
}

std::int64_t count_parameters(const DecoderShape& shape) {
  std::int64_t all = 0;
  for (const TensorShape& tensor : tensors_of(shape)) {
    std::int64_t numbers = 1;
    for (const std::int64_t size : tensor.sizes) numbers *= size;
    all += numbers;
  }
  return all;
}

std::vector<TensorShape> linear_layers_of(const DecoderShape& shape) {
  std::vector<TensorShape> layers;
  const auto add = [&](const std::string& name, std::int64_t out, std::int64_t in, bool) {
    layers.push_back({name, {out, in}});
  };
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    for_attention(shape, layer_prefix(layer), add);
    for_mlp(shape, layer_prefix(layer), add);
  }
  return layers;
}

}  // namespace tune::trainer::nn
