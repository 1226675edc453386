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

std::map<std::string, std::size_t> group_of_each(const std::vector<ParameterGroup>& groups) {
  std::map<std::string, std::size_t> found;
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const std::string& name : groups[group].parameters)
      TUNE_CHECK(found.emplace(name, group).second, "in one group only: " + name);
  return found;
}

// The first slot is the momentum of SGD, Adam's mean of gradients, the others' mean or sum of squared
// gradients; the second Adam's mean of squared gradients, RMSprop's momentum, Adadelta's mean of squared
// changes.
bool has_second(const OptimizerSettings& settings) {
  switch (settings.kind) {
    case OptimizerKind::kSgd:
    case OptimizerKind::kAdagrad:
      return false;
    case OptimizerKind::kRmsprop:
      return settings.momentum > 0;
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
    case OptimizerKind::kAdadelta:
      return true;
  }
  broken_invariant("a known optimizer", __FILE__, __LINE__);
}

bool counts_steps(OptimizerKind kind) {
  return kind == OptimizerKind::kAdam || kind == OptimizerKind::kAdamW;
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
    if (settings_.kind == OptimizerKind::kAdagrad) slot.first.fill_(settings_.initial_accumulator);
    if (has_second(settings_)) slot.second = torch::zeros_like(slot.parameter);
    slot.group = own.mapped();
    slots_.push_back(std::move(slot));
  }
  TUNE_CHECK(group.empty(), "a parameter that is trained: " + group.begin()->first);
}

void Optimizer::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  note_first_gradients();
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
  if (counts_steps(settings_.kind)) number_steps(all);
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

void Optimizer::note_first_gradients() {
  for (Slot& slot : slots_)
    if (!slot.parameter.grad().defined() && slot.skipped == steps_) ++slot.skipped;
}

void Optimizer::number_steps(const std::vector<Slot*>& slots) {
  std::set<std::int64_t> numbered;
  for (const Slot* slot : slots) {
    if (!numbered.insert(slot->skipped).second) continue;
    torch::Tensor& number = step_numbers_[slot->skipped];
    if (!number.defined()) number = torch::empty({}, slot->parameter.options().dtype(torch::kFloat));
    number.fill_(static_cast<double>(steps_ + 1 - slot->skipped));
  }
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
    if (!counts_steps(settings_.kind)) continue;
    second.push_back(slot->second);
    steps.push_back(step_numbers_.at(slot->skipped));  // the kernels want one for each parameter
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
    case OptimizerKind::kRmsprop:
    case OptimizerKind::kAdagrad:
    case OptimizerKind::kAdadelta:
      return update_unfused(slots, weight_decay, learning_rate);
  }
}

// Operation by operation over all parameters of a group.
void Optimizer::update_unfused(const std::vector<Slot*>& slots, double weight_decay,
                               double learning_rate) const {
  Tensors parameters, gradients, first, second;
  for (const Slot* slot : slots) {
    parameters.push_back(slot->parameter);
    gradients.push_back(slot->parameter.grad());
    first.push_back(slot->first);
    if (slot->second.defined()) second.push_back(slot->second);
  }
  // Gradients are spent in the step, so that they may be changed in their places.
  if (weight_decay != 0) at::_foreach_add_(gradients, parameters, weight_decay);
  if (settings_.kind == OptimizerKind::kAdagrad) {
    at::_foreach_addcmul_(first, gradients, gradients, 1);
    Tensors divisors = at::_foreach_sqrt(first);
    at::_foreach_add_(divisors, settings_.epsilon);
    at::_foreach_addcdiv_(parameters, gradients, divisors, -learning_rate);
    return;
  }
  at::_foreach_mul_(first, settings_.alpha);
  at::_foreach_addcmul_(first, gradients, gradients, 1 - settings_.alpha);
  if (settings_.kind == OptimizerKind::kRmsprop) {
    Tensors divisors = at::_foreach_sqrt(first);
    at::_foreach_add_(divisors, settings_.epsilon);
    if (second.empty()) return at::_foreach_addcdiv_(parameters, gradients, divisors, -learning_rate);
    at::_foreach_mul_(second, settings_.momentum);
    at::_foreach_addcdiv_(second, gradients, divisors, 1);
    return at::_foreach_add_(parameters, second, -learning_rate);
  }
  Tensors changes = at::_foreach_add(second, settings_.epsilon),
          divisors = at::_foreach_add(first, settings_.epsilon);
  at::_foreach_sqrt_(changes);
  at::_foreach_sqrt_(divisors);
  at::_foreach_div_(changes, divisors);
  at::_foreach_mul_(changes, gradients);
  at::_foreach_mul_(second, settings_.alpha);
  at::_foreach_addcmul_(second, changes, changes, 1 - settings_.alpha);
  at::_foreach_add_(parameters, changes, -learning_rate);
}

weights::TensorMap Optimizer::state(bool within_a_step) const {
  weights::TensorMap state;
  for (const Slot& slot : slots_) {
    state[slot.name + ".first"] = slot.first;
    if (slot.second.defined()) state[slot.name + ".second"] = slot.second;
    if (slot.skipped > 0) state[slot.name + ".skipped"] = torch::tensor(slot.skipped, torch::kLong);
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
    const auto skipped = state.find(slot.name + ".skipped");
    slot.skipped = skipped == state.end() ? 0 : skipped->second.item<std::int64_t>();
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
