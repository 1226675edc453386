#pragma once
// The shape of a decoder-only language model: all that says how it computes, without its weights.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tune::trainer::nn {

enum class RotaryKind { kPlain, kLinear, kLlama3, kYarn };

// Rotary embeddings of positions (Su et al., arXiv 2104.09864), with the ways in use to stretch them over
// longer texts: all frequencies divided by `factor` (kLinear), those of long wavelengths alone (kLlama3), or
// by a ramp between two counts of rotations (kYarn: Peng et al., arXiv 2309.00071).
struct Rotary {
  RotaryKind kind = RotaryKind::kPlain;
  double theta = 10000;
  double factor = 1;
  double original_positions = 0;           // kLlama3, kYarn: those that the model was first trained with
  double low_factor = 1, high_factor = 4;  // kLlama3
  double fast_rotations = 32, slow_rotations = 1;  // kYarn
  bool truncate = true;                            // kYarn: whole numbers as ends of the ramp
  double magnitude = 1;                            // kYarn: what cosines and sines are multiplied by
};

enum class DecoderActivation { kSilu, kGeluTanh };

// Names in comments are those of config.json.
struct DecoderShape {
  std::int64_t vocabulary = 0;  // vocab_size
  std::int64_t width = 0;       // hidden_size
  std::int64_t inner = 0;       // intermediate_size
  std::int64_t layers = 0;      // num_hidden_layers
  std::int64_t heads = 0;       // num_attention_heads
  std::int64_t kv_heads = 0;    // num_key_value_heads
  std::int64_t head_width = 0;  // head_dim
  std::int64_t positions = 0;   // max_position_embeddings
  double norm_epsilon = 1e-6;
  bool tied = false;         // the output layer is the embedding
  bool qkv_bias = false;     // of q_proj, k_proj and v_proj
  bool output_bias = false;  // of o_proj
  bool mlp_bias = false;
  bool head_norms = false;      // q_norm and k_norm, before the rotation
  bool norms_around = false;    // Gemma 2 and 3: norms before and behind attention and MLP
  bool norms_add_one = false;   // Gemma: a norm multiplies by its weight and one
  double embedding_factor = 1;  // Gemma: the root of the width
  DecoderActivation activation = DecoderActivation::kSilu;
  std::optional<double> attention_factor;      // of scores; the inverse root of head_width where it is absent
  std::optional<double> score_cap, logit_cap;  // Gemma 2: cap * tanh(x / cap)
  std::vector<std::int64_t> windows;  // of each layer: so many positions are seen, its own among them; 0: all
  Rotary rotary;
  std::optional<Rotary> window_rotary;  // of layers with a window, where it differs
};

struct TensorShape {
  std::string name;  // as Hugging Face has it: "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> sizes;
};

// Every parameter of such a model, in the order of its layers.
std::vector<TensorShape> tensors_of(const DecoderShape& shape);
// Numbers in them.
std::int64_t count_parameters(const DecoderShape& shape);
// The linear layers that adapters can sit on: name of the module, without ".weight", and [out, in].
std::vector<TensorShape> linear_layers_of(const DecoderShape& shape);

}  // namespace tune::trainer::nn
