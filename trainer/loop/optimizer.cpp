#include "trainer/loop/optimizer.h"

#include <set>

#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

using Tensors = std::vector<torch::Tensor>;

void restore(torch::Tensor& target, const weights::TensorMap& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.sizes() != target.sizes())
    throw Error(ExitCode::kBadData, "the checkpoint's optimizer has no fitting tensor \"" + name + "\"",
                "remove the checkpoint to start again");
  target.copy_(found->second);
}

// Biases of normalisation layers are not among them.
std::set<const at::TensorImpl*> layer_biases(const torch::nn::Module& module) {
  std::set<const at::TensorImpl*> biases;
  for (const auto& child : module.modules()) {
    if (const auto* convolution = child->as<torch::nn::Conv2d>())
      biases.insert(convolution->bias.unsafeGetTensorImpl());
    else if (const auto* linear = child->as<torch::nn::Linear>())
      biases.insert(linear->bias.unsafeGetTensorImpl());
  }
  return biases;
}

}  // namespace

Optimizer::Optimizer(const torch::nn::Module& module, const OptimizerSettings& settings)
    : settings_(settings) {
  const std::set<const at::TensorImpl*> biases = layer_biases(module);
  for (const auto& parameter : module.named_parameters()) {
    if (!parameter.value().requires_grad()) continue;
    Slot slot;
    slot.name = parameter.key();
    slot.parameter = parameter.value();
    slot.first = torch::zeros_like(slot.parameter);
    if (settings_.kind != OptimizerKind::kSgd) slot.second = torch::zeros_like(slot.parameter);
    slot.decays = slot.parameter.dim() > 1;
    slot.is_bias = biases.contains(slot.parameter.unsafeGetTensorImpl());
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  const bool apart = settings_.bias_learning_rate != 1;
  std::vector<Slot*> decaying, plain, biases, all;
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    // The fused kernels walk memory, so a gradient must lie in memory as its parameter does.
    if (slot.parameter.grad().strides() != slot.parameter.strides())
      slot.parameter.mutable_grad() = torch::empty_like(slot.parameter).copy_(slot.parameter.grad());
    (apart && slot.is_bias ? biases : slot.decays ? decaying : plain).push_back(&slot);
    all.push_back(&slot);
  }
  if (settings_.gradient_clip > 0) clip(all);
  update(decaying, settings_.weight_decay, learning_rate);
  update(plain, 0, learning_rate);
  update(biases, 0, learning_rate * settings_.bias_learning_rate);
  ++steps_;
  for (Slot* slot : all) slot->parameter.mutable_grad().reset();
}

// Scales without asking the device for the norm, so a GPU never waits; on the CPU, which has it at hand, most
// steps need no scaling.
void Optimizer::clip(const std::vector<Slot*>& slots) const {
  Tensors gradients;
  for (const Slot* slot : slots) gradients.push_back(slot->parameter.grad());
  if (gradients.empty()) return;
  const torch::Tensor norm = torch::stack(at::_foreach_norm(gradients)).norm();
  if (norm.is_cpu() && norm.item<double>() <= settings_.gradient_clip) return;
  at::_foreach_mul_(gradients, (settings_.gradient_clip / (norm + 1e-6)).clamp_max(1.0));
}

void Optimizer::update(const std::vector<Slot*>& slots, double weight_decay, double learning_rate) {
  if (slots.empty()) return;
  Tensors parameters, gradients, first, second, steps;
  for (const Slot* slot : slots) {
    parameters.push_back(slot->parameter);
    gradients.push_back(slot->parameter.grad());
    first.push_back(slot->first);
    if (settings_.kind == OptimizerKind::kSgd) continue;
    second.push_back(slot->second);
    // The kernels want the number of this step, from 1.
    steps.push_back(
        torch::full({}, static_cast<double>(steps_ + 1), slot->parameter.options().dtype(torch::kFloat)));
  }
  switch (settings_.kind) {
    case OptimizerKind::kSgd:
      // Without momentum the kernel wants no buffers.
      if (settings_.momentum == 0) first.clear();
      at::_fused_sgd_(parameters, gradients, first, weight_decay, settings_.momentum, learning_rate,
                      /*dampening=*/0.0, settings_.nesterov && settings_.momentum > 0, /*maximize=*/false,
                      /*is_first_step=*/steps_ == 0);
      return;
    case OptimizerKind::kAdam:
      at::_fused_adam_(parameters, gradients, first, second, {}, steps, learning_rate, settings_.beta1,
                       settings_.beta2, weight_decay, settings_.epsilon, /*amsgrad=*/false,
                       /*maximize=*/false);
      return;
    case OptimizerKind::kAdamW:
      at::_fused_adamw_(parameters, gradients, first, second, {}, steps, learning_rate, settings_.beta1,
                        settings_.beta2, weight_decay, settings_.epsilon, /*amsgrad=*/false,
                        /*maximize=*/false);
      return;
  }
}

weights::TensorMap Optimizer::state() const {
  weights::TensorMap state;
  for (const Slot& slot : slots_) {
    state[slot.name + ".first"] = slot.first;
    if (slot.second.defined()) state[slot.name + ".second"] = slot.second;
  }
  state["step"] = torch::tensor(steps_, torch::kLong);
  return state;
}

void Optimizer::load_state(const weights::TensorMap& state) {
  const torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    restore(slot.first, state, slot.name + ".first");
    if (slot.second.defined()) restore(slot.second, state, slot.name + ".second");
  }
  torch::Tensor step = torch::zeros({}, torch::kLong);
  restore(step, state, "step");
  steps_ = step.item<std::int64_t>();
}

}  // namespace tune::trainer::loop
