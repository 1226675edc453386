#include "trainer/nn/gradient_checkpoint.h"

namespace tune::trainer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

at::Generator generator_of(const torch::Device& device) {
  return device.is_cuda() ? at::globalContext().defaultGenerator(device)
                          : at::detail::getDefaultCPUGenerator();
}

struct HeldLayer : torch::CustomClassHolder {
  Layer layer;
  torch::Tensor random;  // the generator's state before the layer
  bool casts = false;
  at::ScalarType dtype = at::kFloat;
};

class Recomputed : public torch::autograd::Function<Recomputed> {
 public:
  static Variable forward(AutogradContext* context, const Variable& x, const Layer& layer) {
    auto held = c10::make_intrusive<HeldLayer>();
    held->layer = layer;
    held->random = generator_of(x.device()).get_state();
    held->casts = at::autocast::is_autocast_enabled(x.device().type());
    held->dtype = at::autocast::get_autocast_dtype(x.device().type());
    context->save_for_backward({x});
    context->saved_data["layer"] = c10::IValue::make_capsule(held);
    const torch::Tensor y = layer(x);
    // Casts of weights that were made here know no gradient, and would be taken for those of the second time.
    at::autocast::clear_cache();
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto held =
        c10::static_intrusive_pointer_cast<HeldLayer>(context->saved_data.at("layer").toCapsule());
    const torch::Tensor x = context->get_saved_variables().front().detach().requires_grad_(true);
    at::Generator generator = generator_of(x.device());
    const torch::Tensor now = generator.get_state();
    generator.set_state(held->random);
    torch::Tensor y;
    {
      const torch::AutoGradMode with_gradients(true);
      const compat::Autocast precision(x.device().type(), held->casts, held->dtype);
      y = held->layer(x);
    }
    generator.set_state(now);
    torch::autograd::backward({y}, {gradients.front()});
    return {x.grad(), Variable()};
  }
};

}  // namespace

torch::Tensor recomputed(const torch::Tensor& x, Layer layer) {
  TORCH_CHECK(x.requires_grad(), "what is computed again has a gradient to give back");
  return Recomputed::apply(x, layer);
}

}  // namespace tune::trainer::nn
