#include "trainer/nn/text_encoder.h"

namespace tune::trainer::nn {
namespace {

using torch::nn::Linear, torch::nn::LayerNorm;
using Module = torch::nn::Module;

std::shared_ptr<Module> part(Module& of, const char* name) {
  return of.register_module(name, std::make_shared<Module>(name));
}

LayerNorm norm_of(const EncoderLayout& layout) {
  return LayerNorm(torch::nn::LayerNormOptions({layout.width}).eps(layout.epsilon));
}

torch::nn::Embedding embedding(std::int64_t rows, std::int64_t width) { return {rows, width}; }

bool is_distilled(const EncoderLayout& layout) { return layout.family == EncoderFamily::kDistilBert; }

torch::Tensor activated(const torch::Tensor& x, EncoderActivation activation) {
  switch (activation) {
    case EncoderActivation::kGelu:
      return torch::gelu(x);
    case EncoderActivation::kGeluTanh:
      return torch::gelu(x, "tanh");
    case EncoderActivation::kRelu:
      break;
  }
  return torch::relu(x);
}

// As transformers' _init_weights().
void draw(Module& module, const EncoderLayout& layout) {
  const torch::NoGradGuard no_grad;
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* linear = child->as<torch::nn::LinearImpl>()) {
      torch::nn::init::normal_(linear->weight, 0.0, layout.deviation);
      torch::nn::init::zeros_(linear->bias);
    } else if (auto* table = child->as<torch::nn::EmbeddingImpl>()) {
      torch::nn::init::normal_(table->weight, 0.0, layout.deviation);
    }
  }
}

}  // namespace

// Attention and an inner layer, each added to what goes in and normalised behind (post-norm).
class EncoderLayerImpl : public Module {
 public:
  explicit EncoderLayerImpl(const EncoderLayout& layout) : layout_(layout) {
    const std::int64_t width = layout.width, inner = layout.inner;
    const auto attention = part(*this, "attention");
    if (is_distilled(layout)) {
      query_ = attention->register_module("q_lin", Linear(width, width));
      key_ = attention->register_module("k_lin", Linear(width, width));
      value_ = attention->register_module("v_lin", Linear(width, width));
      out_ = attention->register_module("out_lin", Linear(width, width));
      attention_norm_ = register_module("sa_layer_norm", norm_of(layout));
      const auto inner_layer = part(*this, "ffn");
      up_ = inner_layer->register_module("lin1", Linear(width, inner));
      down_ = inner_layer->register_module("lin2", Linear(inner, width));
      norm_ = register_module("output_layer_norm", norm_of(layout));
      return;
    }
    const auto self = part(*attention, "self"), attention_output = part(*attention, "output");
    query_ = self->register_module("query", Linear(width, width));
    key_ = self->register_module("key", Linear(width, width));
    value_ = self->register_module("value", Linear(width, width));
    out_ = attention_output->register_module("dense", Linear(width, width));
    attention_norm_ = attention_output->register_module("LayerNorm", norm_of(layout));
    up_ = part(*this, "intermediate")->register_module("dense", Linear(width, inner));
    const auto output = part(*this, "output");
    down_ = output->register_module("dense", Linear(inner, width));
    norm_ = output->register_module("LayerNorm", norm_of(layout));
  }

  // [B, L, width], `mask` [B, 1, 1, L] or undefined -> [B, Q, width]: of the first `asked` tokens.
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& mask, std::int64_t asked) {
    const torch::Tensor own = asked == tokens.size(1) ? tokens : tokens.narrow(1, 0, asked);
    const torch::Tensor attention = out_(attended(own, tokens, mask));
    // DistilBERT has no dropout here.
    const torch::Tensor seen =
        attention_norm_((is_distilled(layout_) ? attention : dropped(attention)) + own);
    const torch::Tensor inner = down_(activated(up_(seen), layout_.activation));
    return norm_(dropped(inner) + seen);
  }

 private:
  torch::Tensor dropped(const torch::Tensor& x) const {
    return torch::dropout(x, layout_.dropout, is_training());
  }

  torch::Tensor by_head(const torch::Tensor& x) const {
    return x.view({x.size(0), x.size(1), layout_.heads, layout_.width / layout_.heads}).transpose(1, 2);
  }

  torch::Tensor attended(const torch::Tensor& own, const torch::Tensor& tokens, const torch::Tensor& mask) {
    std::optional<torch::Tensor> shown;
    if (mask.defined()) shown = mask;
    const torch::Tensor seen =
        at::scaled_dot_product_attention(by_head(query_(own)), by_head(key_(tokens)), by_head(value_(tokens)),
                                         shown, is_training() ? layout_.attention : 0.0);
    return seen.transpose(1, 2).reshape(own.sizes());
  }

  const EncoderLayout layout_;
  Linear query_ = nullptr, key_ = nullptr, value_ = nullptr, out_ = nullptr, up_ = nullptr, down_ = nullptr;
  LayerNorm attention_norm_ = nullptr, norm_ = nullptr;
};

std::int64_t longest_text(const EncoderLayout& layout) {
  return layout.family == EncoderFamily::kRoberta ? layout.positions - layout.padding - 1 : layout.positions;
}

std::int64_t parameter_count(const EncoderLayout& layout) {
  const std::int64_t width = layout.width, types = is_distilled(layout) ? 0 : layout.types;
  const std::int64_t embeddings = (layout.vocabulary + layout.positions + types + 2) * width,
                     layer = 4 * width * (width + 1) + 2 * width * layout.inner + layout.inner + 5 * width;
  return embeddings + layout.layers * layer + width * (width + 1);
}

std::int64_t multiply_adds(const EncoderLayout& layout, std::int64_t tokens) {
  const std::int64_t width = layout.width, dense = 2 * width * width + 2 * width * layout.inner;
  const std::int64_t of_token = dense + 2 * tokens * width,  // query, out and the inner layer; attention
      of_layer = 2 * width * width * tokens;                 // keys and values
  const std::int64_t others = layout.layers - 1;
  return others * (of_layer + of_token * tokens) + of_layer + of_token + width * width;
}

TextEncoder::TextEncoder(const EncoderLayout& layout, std::int64_t classes) : layout_(layout) {
  const std::int64_t width = layout.width;
  const std::string name = prefix().substr(0, prefix().size() - 1);
  const auto trunk = part(*this, name.c_str());
  const auto embeddings = part(*trunk, "embeddings");
  words_ = embeddings->register_module("word_embeddings", embedding(layout.vocabulary, width));
  positions_ = embeddings->register_module("position_embeddings", embedding(layout.positions, width));
  if (!is_distilled(layout))
    types_ = embeddings->register_module("token_type_embeddings", embedding(layout.types, width));
  norm_ = embeddings->register_module("LayerNorm", norm_of(layout));
  const auto layers = part(*part(*trunk, is_distilled(layout) ? "transformer" : "encoder"), "layer");
  for (std::int64_t i = 0; i < layout.layers; ++i)
    layers_.push_back(layers->register_module(std::to_string(i), std::make_shared<EncoderLayerImpl>(layout)));
  if (layout.family == EncoderFamily::kRoberta) {
    const auto head = part(*this, "classifier");
    dense_ = head->register_module("dense", Linear(width, width));
    classifier_ = head->register_module("out_proj", Linear(width, classes));
  } else {
    if (is_distilled(layout))
      dense_ = register_module("pre_classifier", Linear(width, width));
    else
      dense_ = part(*trunk, "pooler")->register_module("dense", Linear(width, width));
    classifier_ = register_module("classifier", Linear(width, classes));
  }
  draw(*this, layout);
  const torch::NoGradGuard no_grad;
  words_->weight[layout.padding].zero_();
  // RoBERTa's positions of padding are the same row.
  if (layout.family == EncoderFamily::kRoberta) positions_->weight[layout.padding].zero_();
}

TextEncoder::~TextEncoder() = default;

torch::Tensor TextEncoder::embedded(const torch::Tensor& ids, const torch::Tensor& types) {
  const std::int64_t length = ids.size(1);
  torch::Tensor sum = words_(ids);
  if (layout_.family == EncoderFamily::kRoberta) {
    // Tokens count from padding + 1; what pads stays at its row.
    const torch::Tensor is_token = ids.ne(layout_.padding);
    sum = sum + positions_(is_token.cumsum(1) * is_token + layout_.padding);
  } else {
    sum = sum + positions_->weight.narrow(0, 0, length);
  }
  if (!is_distilled(layout_)) sum = sum + (types.defined() ? types_(types) : types_->weight[0]);
  return torch::dropout(norm_(sum), layout_.dropout, norm_->is_training());
}

torch::Tensor TextEncoder::features(const torch::Tensor& ids, const torch::Tensor& mask,
                                    const torch::Tensor& types) {
  torch::Tensor tokens = embedded(ids, types), seen;
  if (mask.defined()) seen = mask.unsqueeze(1).unsqueeze(1);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    tokens = layers_[i]->forward(tokens, seen, i + 1 < layers_.size() ? tokens.size(1) : 1);
  return tokens.select(1, 0);
}

torch::Tensor TextEncoder::head(const torch::Tensor& features) {
  const auto dropped = [this](const torch::Tensor& x) {
    return torch::dropout(x, layout_.head_dropout, is_training());
  };
  switch (layout_.family) {
    case EncoderFamily::kBert:
      return classifier_(dropped(torch::tanh(dense_(features))));
    case EncoderFamily::kDistilBert:
      return classifier_(dropped(torch::relu(dense_(features))));
    case EncoderFamily::kRoberta:
      break;
  }
  return classifier_(dropped(torch::tanh(dense_(dropped(features)))));
}

std::string TextEncoder::prefix() const {
  switch (layout_.family) {
    case EncoderFamily::kBert:
      return "bert.";
    case EncoderFamily::kDistilBert:
      return "distilbert.";
    case EncoderFamily::kRoberta:
      break;
  }
  return "roberta.";
}

std::string TextEncoder::classes_prefix() const {
  return layout_.family == EncoderFamily::kRoberta ? "classifier.out_proj." : "classifier.";
}

Stages TextEncoder::stages() const {
  Stages stages;
  stages.body.push_back({"embeddings", {prefix() + "embeddings."}});
  const std::string list = prefix() + (is_distilled(layout_) ? "transformer" : "encoder") + ".layer.";
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::string number = std::to_string(i);
    stages.body.push_back({"layer" + number, {list + number + "."}});
  }
  stages.head = {"classifier."};
  if (layout_.family == EncoderFamily::kBert) stages.head.push_back(prefix() + "pooler.");
  if (layout_.family == EncoderFamily::kDistilBert) stages.head.emplace_back("pre_classifier.");
  return stages;
}

}  // namespace tune::trainer::nn
