#include "trainer/nn/decoder.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "trainer/nn/gradient_checkpoint.h"

namespace tune::trainer::nn {
namespace {

// Bool [.., queries, keys]: which keys a query may see by its place alone, the last query being the last key.
torch::Tensor causal(std::int64_t queries, std::int64_t keys, std::int64_t window,
                     const torch::Device& device) {
  const torch::Tensor key = torch::arange(keys, device),
                      query = torch::arange(keys - queries, keys, device).unsqueeze(1);
  torch::Tensor seen = key <= query;
  if (window > 0) seen = seen.logical_and(key > query - window);
  return seen;
}

AttentionMask attention_mask_of(const DecoderInput& input, std::int64_t window) {
  const std::int64_t queries = input.ids.size(1), keys = queries + (input.cache ? input.cache->tokens : 0);
  const bool window_cuts = window > 0 && keys > window;
  if (!window_cuts && !input.texts.defined() && !input.is_token.defined()) {
    if (queries == keys) return {{}, true};
    if (queries == 1) return {{}, false};
  }
  const torch::Device device = input.ids.device();
  torch::Tensor mask = causal(queries, keys, window_cuts ? window : 0, device).unsqueeze(0).unsqueeze(0);
  if (input.texts.defined())
    mask = mask.logical_and(input.texts.unsqueeze(2).eq(input.texts.unsqueeze(1)).unsqueeze(1));
  if (input.is_token.defined()) {
    // Padding sees itself: a softmax over nothing would be no number.
    const torch::Tensor own =
        torch::arange(keys - queries, keys, device).unsqueeze(1) == torch::arange(keys, device);
    mask = mask.logical_and(input.is_token.unsqueeze(1).unsqueeze(1)).logical_or(own);
  }
  return {mask, false};
}

torch::Tensor capped(const torch::Tensor& x, const std::optional<double>& cap) {
  return cap ? (x / *cap).tanh() * *cap : x;
}

// [batch, kv_heads, n, d] to [batch, heads, n, d]: each is the key of several queries.
torch::Tensor repeated(const torch::Tensor& x, std::int64_t times) {
  return times == 1 ? x : x.repeat_interleave(times, 1);
}

torch::Tensor eager_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const AttentionMask& visible, double factor, const std::optional<double>& cap) {
  const std::int64_t times = q.size(1) / k.size(1);
  torch::Tensor scores = capped(q.matmul(repeated(k, times).transpose(2, 3)) * factor, cap);
  torch::Tensor mask = visible.mask;
  if (!mask.defined() && visible.is_causal) mask = causal(q.size(2), k.size(2), 0, q.device());
  if (mask.defined())
    scores = scores.masked_fill(mask.logical_not(), -std::numeric_limits<double>::infinity());
  return torch::softmax(scores, -1, torch::kFloat).to(v.scalar_type()).matmul(repeated(v, times));
}

}  // namespace

std::pair<torch::Tensor, torch::Tensor> KeyValueCache::OfLayer::extended(const torch::Tensor& more_keys,
                                                                         const torch::Tensor& more_values,
                                                                         std::int64_t tokens) {
  constexpr std::int64_t kLeastRoom = 64;
  const std::int64_t more = more_keys.size(2), wanted = tokens + more;
  const auto put = [&](torch::Tensor& held, const torch::Tensor& fresh) {
    if (!held.defined()) return held = fresh;
    if (held.size(2) < wanted) {
      std::vector<std::int64_t> sizes = held.sizes().vec();
      sizes[2] = wanted + std::max(kLeastRoom, wanted / 4);
      const torch::Tensor larger = torch::empty(sizes, held.options());
      larger.narrow(2, 0, tokens).copy_(held.narrow(2, 0, tokens));
      held = larger;
    }
    held.narrow(2, tokens, more).copy_(fresh);
    return held.narrow(2, 0, wanted);
  };
  torch::Tensor all_keys = put(keys, more_keys), all_values = put(values, more_values);
  return {all_keys, all_values};
}

RmsNormImpl::RmsNormImpl(std::int64_t size, double epsilon, bool adds_one)
    : epsilon_(epsilon), adds_one_(adds_one) {
  weight = register_parameter("weight", torch::empty({size}));
}

torch::Tensor RmsNormImpl::forward(const torch::Tensor& x) {
  const torch::Tensor wide = x.to(torch::kFloat);
  const torch::Tensor normed = wide * torch::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + epsilon_);
  if (adds_one_) return (normed * (weight.to(torch::kFloat) + 1)).to(x.scalar_type());
  return normed.to(x.scalar_type()) * weight;
}

class SelfAttentionImpl : public torch::nn::Module {
 public:
  explicit SelfAttentionImpl(const DecoderShape& shape) : shape_(shape) {
    const std::int64_t all = shape.heads * shape.head_width, shared = shape.kv_heads * shape.head_width;
    q_ = register_module("q_proj", AdaptedLinear(shape.width, all, shape.qkv_bias));
    k_ = register_module("k_proj", AdaptedLinear(shape.width, shared, shape.qkv_bias));
    v_ = register_module("v_proj", AdaptedLinear(shape.width, shared, shape.qkv_bias));
    o_ = register_module("o_proj", AdaptedLinear(all, shape.width, shape.output_bias));
    if (!shape.head_norms) return;
    q_norm_ = register_module("q_norm", RmsNorm(shape.head_width, shape.norm_epsilon, shape.norms_add_one));
    k_norm_ = register_module("k_norm", RmsNorm(shape.head_width, shape.norm_epsilon, shape.norms_add_one));
  }

  torch::Tensor forward(const torch::Tensor& x, const Rotation& rotation, const AttentionMask& visible,
                        Attention attention, KeyValueCache::OfLayer* cache, std::int64_t cached_tokens) {
    const auto heads_of = [&](AdaptedLinear& layer, std::int64_t heads) {
      return layer->forward(x).view({x.size(0), x.size(1), heads, shape_.head_width});
    };
    torch::Tensor q = heads_of(q_, shape_.heads), k = heads_of(k_, shape_.kv_heads),
                  v = heads_of(v_, shape_.kv_heads).transpose(1, 2);
    if (q_norm_) {
      q = q_norm_->forward(q);
      k = k_norm_->forward(k);
    }
    q = rotated(q.transpose(1, 2), rotation);
    k = rotated(k.transpose(1, 2), rotation);
    if (cache != nullptr) std::tie(k, v) = cache->extended(k, v, cached_tokens);
    const double factor =
        shape_.attention_factor.value_or(1 / std::sqrt(static_cast<double>(shape_.head_width)));
    torch::Tensor y;
    if (attention == Attention::kEager || shape_.score_cap)
      y = eager_attention(q, k, v, visible, factor, shape_.score_cap);
    else
      y = at::scaled_dot_product_attention(
          q, k, v, visible.mask.defined() ? std::optional(visible.mask) : std::nullopt, /*dropout_p=*/0,
          visible.is_causal && !visible.mask.defined(), factor,
          /*enable_gqa=*/shape_.heads != shape_.kv_heads);
    return o_->forward(y.transpose(1, 2).reshape({x.size(0), x.size(1), -1}));
  }

 private:
  const DecoderShape& shape_;  // the decoder's
  AdaptedLinear q_{nullptr}, k_{nullptr}, v_{nullptr}, o_{nullptr};
  RmsNorm q_norm_{nullptr}, k_norm_{nullptr};
};
TORCH_MODULE(SelfAttention);

// down(act(gate(x)) * up(x)): Shazeer, arXiv 2002.05202.
class GatedMlpImpl : public torch::nn::Module {
 public:
  explicit GatedMlpImpl(const DecoderShape& shape) : activation_(shape.activation) {
    gate_ = register_module("gate_proj", AdaptedLinear(shape.width, shape.inner, shape.mlp_bias));
    up_ = register_module("up_proj", AdaptedLinear(shape.width, shape.inner, shape.mlp_bias));
    down_ = register_module("down_proj", AdaptedLinear(shape.inner, shape.width, shape.mlp_bias));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor gate = gate_->forward(x);
    const torch::Tensor open =
        activation_ == DecoderActivation::kSilu ? torch::silu(gate) : torch::gelu(gate, "tanh");
    return down_->forward(open * up_->forward(x));
  }

 private:
  const DecoderActivation activation_;
  AdaptedLinear gate_{nullptr}, up_{nullptr}, down_{nullptr};
};
TORCH_MODULE(GatedMlp);

class DecoderLayerImpl : public torch::nn::Module {
 public:
  explicit DecoderLayerImpl(const DecoderShape& shape) {
    const auto norm = [&](const char* name) {
      return register_module(name, RmsNorm(shape.width, shape.norm_epsilon, shape.norms_add_one));
    };
    attention_ = register_module("self_attn", SelfAttention(shape));
    mlp_ = register_module("mlp", GatedMlp(shape));
    before_attention_ = norm("input_layernorm");
    // Gemma 2 puts this name behind the attention, the others before the MLP.
    between_ = norm("post_attention_layernorm");
    if (!shape.norms_around) return;
    before_mlp_ = norm("pre_feedforward_layernorm");
    behind_mlp_ = norm("post_feedforward_layernorm");
  }
  torch::Tensor forward(const torch::Tensor& x, const Rotation& rotation, const AttentionMask& visible,
                        Attention attention, KeyValueCache::OfLayer* cache, std::int64_t cached_tokens) {
    const torch::Tensor seen = attention_->forward(before_attention_->forward(x), rotation, visible,
                                                   attention, cache, cached_tokens);
    if (!before_mlp_) {
      const torch::Tensor y = x + seen;
      return y + mlp_->forward(between_->forward(y));
    }
    const torch::Tensor y = x + between_->forward(seen);
    return y + behind_mlp_->forward(mlp_->forward(before_mlp_->forward(y)));
  }

 private:
  SelfAttention attention_{nullptr};
  GatedMlp mlp_{nullptr};
  RmsNorm before_attention_{nullptr}, between_{nullptr}, before_mlp_{nullptr}, behind_mlp_{nullptr};
};

DecoderImpl::DecoderImpl(const DecoderShape& shape) : shape_(shape) {
  const auto model = register_module("model", std::make_shared<torch::nn::Module>()),
             table = model->register_module("embed_tokens", std::make_shared<torch::nn::Module>()),
             layers = model->register_module("layers", std::make_shared<torch::nn::Module>());
  embedding_ = table->register_parameter("weight", torch::empty({shape.vocabulary, shape.width}));
  for (std::int64_t i = 0; i < shape.layers; ++i)
    layers_.push_back(layers->register_module(std::to_string(i), std::make_shared<DecoderLayerImpl>(shape_)));
  norm_ = model->register_module("norm", RmsNorm(shape.width, shape.norm_epsilon, shape.norms_add_one));
  if (!shape.tied)
    head_ = register_module("lm_head", std::make_shared<torch::nn::Module>())
                ->register_parameter("weight", torch::empty({shape.vocabulary, shape.width}));
  frequencies_ = rotary_frequencies(shape.rotary, shape.head_width);
  window_frequencies_ =
      shape.window_rotary ? rotary_frequencies(*shape.window_rotary, shape.head_width) : frequencies_;
}

torch::Tensor DecoderImpl::forward(const DecoderInput& input) {
  const torch::Device device = input.ids.device();
  if (frequencies_.device() != device) {
    frequencies_ = frequencies_.to(device);
    window_frequencies_ = window_frequencies_.to(device);
  }
  torch::Tensor x = torch::embedding(embedding_, input.ids);
  if (shape_.embedding_factor != 1)
    x = x * torch::full({}, shape_.embedding_factor, x.options());  // rounded to the embedding's dtype
  KeyValueCache* cache = input.cache;
  if (cache != nullptr) cache->layers.resize(layers_.size());
  const torch::Tensor positions =
      input.positions.defined()
          ? input.positions
          : torch::arange(cache ? cache->tokens : 0, (cache ? cache->tokens : 0) + input.ids.size(1), device)
                .unsqueeze(0);
  const at::ScalarType dtype = at::autocast::is_autocast_enabled(device.type())
                                   ? at::autocast::get_autocast_dtype(device.type())
                                   : x.scalar_type();
  const Rotation rotation = rotation_at(positions, frequencies_, shape_.rotary.magnitude, dtype),
                 window_rotation = shape_.window_rotary ? rotation_at(positions, window_frequencies_,
                                                                      shape_.window_rotary->magnitude, dtype)
                                                        : rotation;
  const AttentionMask everything = attention_mask_of(input, 0);
  std::map<std::int64_t, AttentionMask> windows;
  for (const std::int64_t window : shape_.windows)
    if (window > 0 && !windows.contains(window)) windows.emplace(window, attention_mask_of(input, window));
  const bool again = checkpoints_ && torch::GradMode::is_enabled() && cache == nullptr;
  if (again && !x.requires_grad()) x = x.detach().requires_grad_(true);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::int64_t window = shape_.windows.empty() ? 0 : shape_.windows[i];
    const AttentionMask& visible = window > 0 ? windows.at(window) : everything;
    const Rotation& angle = window > 0 ? window_rotation : rotation;
    if (again)
      x = recomputed(
          x, [layer = layers_[i], angle, visible, attention = attention_](const torch::Tensor& in) mutable {
            return layer->forward(in, angle, visible, attention, nullptr, 0);
          });
    else
      x = layers_[i]->forward(x, angle, visible, attention_, cache ? &cache->layers[i] : nullptr,
                              cache ? cache->tokens : 0);
  }
  if (cache != nullptr) cache->tokens += input.ids.size(1);
  return norm_->forward(x);
}

OutputLayer DecoderImpl::output() const { return {head_.defined() ? head_ : embedding_, shape_.logit_cap}; }

void DecoderImpl::untie() {
  if (head_.defined()) return;
  head_ = register_module("lm_head", std::make_shared<torch::nn::Module>())
              ->register_parameter("weight", embedding_.detach().clone());
}

std::vector<std::pair<std::string, AdaptedLinear>> DecoderImpl::linear_layers() {
  std::vector<std::pair<std::string, AdaptedLinear>> layers;
  for (const auto& part : named_modules())
    if (const auto layer = std::dynamic_pointer_cast<AdaptedLinearImpl>(part.value()))
      layers.emplace_back(part.key(), AdaptedLinear(layer));
  return layers;
}

void DecoderImpl::use_adapter(const std::string& name) {
  for (auto& [place, layer] : linear_layers()) layer->use_adapter(name);
}

void DecoderImpl::initialise() {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : named_parameters()) {
    torch::Tensor& tensor = parameter.value();
    if (tensor.dim() > 1)
      tensor.normal_(0, 0.02);
    else
      tensor.fill_(parameter.key().ends_with("bias") || shape_.norms_add_one ? 0 : 1);
  }
}

}  // namespace tune::trainer::nn
