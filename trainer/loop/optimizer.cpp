#include "trainer/loop/optimizer.h"

#include <map>

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

std::map<std::string, std::size_t> group_of_each(const std::vector<ParameterGroup>& groups) {
  std::map<std::string, std::size_t> found;
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const std::string& name : groups[group].parameters)
      TUNE_CHECK(found.emplace(name, group).second, "in one group only: " + name);
  return found;
}

}  // namespace

std::vector<ParameterGroup> groups_by_dimension(const torch::nn::Module& module, double weight_decay) {
  ParameterGroup decaying, plain;
  decaying.weight_decay = weight_decay;
  for (const auto& parameter : module.named_parameters())
    if (parameter.value().requires_grad())
      (parameter.value().dim() > 1 ? decaying : plain).parameters.push_back(parameter.key());
  return {decaying, plain};
}

Optimizer::Optimizer(const torch::nn::Module& module, const OptimizerSettings& settings)
    : Optimizer(module, settings, groups_by_dimension(module, settings.weight_decay)) {}

Optimizer::Optimizer(const torch::nn::Module& module, const OptimizerSettings& settings,
                     const std::vector<ParameterGroup>& groups, Gradients gradients)
    : settings_(settings), groups_(groups), gradients_(gradients) {
  std::map<std::string, std::size_t> group = group_of_each(groups_);
  for (const auto& parameter : module.named_parameters()) {
    if (!parameter.value().requires_grad()) continue;
    const auto own = group.extract(parameter.key());
    TUNE_CHECK(!own.empty(), "in a group: " + parameter.key());
    Slot slot;
    slot.name = parameter.key();
    slot.parameter = parameter.value();
    slot.first = torch::zeros_like(slot.parameter);
    if (settings_.kind != OptimizerKind::kSgd) slot.second = torch::zeros_like(slot.parameter);
    slot.group = own.mapped();
    slots_.push_back(std::move(slot));
  }
  TUNE_CHECK(group.empty(), "a parameter that is trained: " + group.begin()->first);
}

void Optimizer::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  std::vector<std::vector<Slot*>> by_group(groups_.size());
  std::vector<Slot*> all;
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    // The fused kernels walk memory, so a gradient must lie in memory as its parameter does.
    if (slot.parameter.grad().strides() != slot.parameter.strides())
      slot.parameter.mutable_grad() = torch::empty_like(slot.parameter).copy_(slot.parameter.grad());
    by_group[slot.group].push_back(&slot);
    all.push_back(&slot);
  }
  if (settings_.gradient_clip > 0) clip(all);
  if (settings_.kind != OptimizerKind::kSgd && !all.empty()) {
    if (!step_.defined()) step_ = torch::empty({}, all.front()->parameter.options().dtype(torch::kFloat));
    step_.fill_(static_cast<double>(steps_ + 1));
  }
  for (std::size_t group = 0; group < groups_.size(); ++group)
    update(by_group[group], groups_[group].weight_decay, learning_rate * groups_[group].rate_factor);
  ++steps_;
  if (all.empty()) return;
  if (gradients_ == Gradients::kDropped) {
    for (Slot* slot : all) slot->parameter.mutable_grad().reset();
    return;
  }
  Tensors kept;
  for (const Slot* slot : all) kept.push_back(slot->parameter.grad());
  at::_foreach_zero_(kept);
}

// Scales without asking the device for the norm, so a GPU never waits; on the CPU, which has it at hand, most
// steps need no scaling.
void Optimizer::clip(const std::vector<Slot*>& slots) const {
  Tensors gradients;
  for (const Slot* slot : slots) gradients.push_back(slot->parameter.grad());
  if (gradients.empty()) return;
  const torch::Tensor norm = torch::stack(at::_foreach_norm(gradients)).norm();
  if (gradients_ == Gradients::kDropped && norm.is_cpu() && norm.item<double>() <= settings_.gradient_clip)
    return;
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
    steps.push_back(step_);  // the kernels want one for each parameter
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

weights::TensorMap Optimizer::state(bool within_a_step) const {
  weights::TensorMap state;
  for (const Slot& slot : slots_) {
    state[slot.name + ".first"] = slot.first;
    if (slot.second.defined()) state[slot.name + ".second"] = slot.second;
    if (within_a_step && slot.parameter.grad().defined())
      state[slot.name + ".gradient"] = slot.parameter.grad();
  }
  state["step"] = torch::tensor(steps_, torch::kLong);
  return state;
}

void Optimizer::load_state(const weights::TensorMap& state) {
  const torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    restore(slot.first, state, slot.name + ".first");
    if (slot.second.defined()) restore(slot.second, state, slot.name + ".second");
    slot.parameter.mutable_grad().reset();
    if (!state.contains(slot.name + ".gradient")) continue;
    torch::Tensor gradient = torch::empty_like(slot.parameter);
    restore(gradient, state, slot.name + ".gradient");
    slot.parameter.mutable_grad() = gradient;
  }
  torch::Tensor step = torch::zeros({}, torch::kLong);
  restore(step, state, "step");
  steps_ = step.item<std::int64_t>();
}

}  // namespace tune::trainer::loop
