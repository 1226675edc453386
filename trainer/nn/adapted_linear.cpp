#include "trainer/nn/adapted_linear.h"

#include <cmath>

#include "trainer/nn/frozen_product.h"

namespace tune::trainer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;
using Unpack = std::function<torch::Tensor(const torch::Tensor&, at::ScalarType)>;

struct HeldUnpack : torch::CustomClassHolder {
  explicit HeldUnpack(Unpack of) : unpack(std::move(of)) {}
  Unpack unpack;
};

// Has no gradient of the weight.
class FrozenProduct : public torch::autograd::Function<FrozenProduct> {
 public:
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& weight) {
    context->save_for_backward({weight});
    return frozen_product(x, weight);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {frozen_product(gradients.front(), context->get_saved_variables().front().t()), Variable()};
  }
};

// Keeps the packed bytes for the backward pass instead of the numbers.
class PackedProduct : public torch::autograd::Function<PackedProduct> {
 public:
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& bytes,
                          const Unpack& unpack) {
    context->save_for_backward({bytes});
    context->saved_data["unpack"] = c10::IValue::make_capsule(c10::make_intrusive<HeldUnpack>(unpack));
    return frozen_product(x, unpack(bytes, x.scalar_type()));
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const torch::Tensor bytes = context->get_saved_variables().front();
    const auto held =
        c10::static_intrusive_pointer_cast<HeldUnpack>(context->saved_data.at("unpack").toCapsule());
    const torch::Tensor& gradient = gradients.front();
    return {frozen_product(gradient, held->unpack(bytes, gradient.scalar_type()).t()), Variable(),
            Variable()};
  }
};

}  // namespace

AdaptedLinearImpl::AdaptedLinearImpl(std::int64_t in, std::int64_t out, bool has_bias) : in_(in), out_(out) {
  weight = register_parameter("weight", torch::empty({out, in}));
  if (has_bias) bias = register_parameter("bias", torch::empty({out}));
}

void AdaptedLinearImpl::hold_packed(PackedWeight packed) {
  weight.set_requires_grad(false);
  weight.set_data(torch::empty({0}));
  weight = parameters_["weight"] = packed.bytes;
  unpack_ = std::move(packed.unpack);
}

void AdaptedLinearImpl::add_adapter(const std::string& name, std::int64_t rank, double scale,
                                    double dropout) {
  TORCH_CHECK(!has_adapter(name), "an adapter has a name of its own: ", name);
  if (!parts_a_) {
    parts_a_ = register_module("lora_A", std::make_shared<torch::nn::Module>());
    parts_b_ = register_module("lora_B", std::make_shared<torch::nn::Module>());
  }
  Adapter adapter{torch::nn::Linear(torch::nn::LinearOptions(in_, rank).bias(false)),
                  torch::nn::Linear(torch::nn::LinearOptions(rank, out_).bias(false)), scale, dropout};
  torch::nn::init::kaiming_uniform_(adapter.a->weight, std::sqrt(5));
  torch::nn::init::zeros_(adapter.b->weight);
  adapter.a->to(weight.device());
  adapter.b->to(weight.device());
  parts_a_->register_module(name, adapter.a);
  parts_b_->register_module(name, adapter.b);
  adapters_.emplace(name, std::move(adapter));
}

torch::Tensor AdaptedLinearImpl::change(const std::string& name) const {
  const Adapter& adapter = adapters_.at(name);
  return adapter.b->weight.to(torch::kFloat).matmul(adapter.a->weight.to(torch::kFloat)) * adapter.scale;
}

torch::Tensor AdaptedLinearImpl::forward(const torch::Tensor& x) {
  torch::Tensor y;
  if (!unpack_) {
    // An operator of one's own is not seen by autocast.
    const bool is_plain =
        x.scalar_type() == weight.scalar_type() && !at::autocast::is_autocast_enabled(x.device().type());
    const bool has_gradient = torch::GradMode::is_enabled();
    const bool is_frozen = is_plain && (!weight.requires_grad() || !has_gradient);
    if (!is_frozen)
      y = torch::linear(x, weight, bias);
    else
      y = has_gradient ? FrozenProduct::apply(x, weight) : frozen_product(x, weight);
    if (is_frozen && bias.defined()) y = y + bias;
  } else {
    const bool casts = at::autocast::is_autocast_enabled(x.device().type());
    const auto dtype = casts ? at::autocast::get_autocast_dtype(x.device().type()) : x.scalar_type();
    y = PackedProduct::apply(x.to(dtype), weight, unpack_);
    if (bias.defined()) y = y + bias;
  }
  const auto used = adapters_.find(used_);
  if (used == adapters_.end()) return y;
  const Adapter& adapter = used->second;
  torch::Tensor input = x.to(adapter.a->weight.scalar_type());
  if (adapter.dropout > 0) input = torch::dropout(input, adapter.dropout, is_training());
  const torch::Tensor low = torch::linear(input, adapter.a->weight);
  const auto sizes = y.sizes().vec();
  return torch::addmm(y.reshape({-1, out_}), low.reshape({-1, low.size(-1)}), adapter.b->weight.t(), 1,
                      adapter.scale)
      .view(sizes);
}

}  // namespace tune::trainer::nn
