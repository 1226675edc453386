#include "trainer/loop/weight_average.h"

#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

constexpr const char* kOwn = ".own";

}  // namespace

WeightAverage::WeightAverage(const torch::nn::Module& module, const Averaging& averaging)
    : decay_(averaging.decay), every_(averaging.steps) {
  if (!is_kept()) return;
  const auto add = [this](const std::string& name, const torch::Tensor& tensor) {
    names_.push_back(name);
    own_.push_back(tensor.detach());
    average_.push_back(tensor.detach().clone());
  };
  for (const auto& parameter : module.named_parameters())
    if (parameter.value().requires_grad()) add(parameter.key(), parameter.value());
  for (const auto& buffer : module.named_buffers())
    if (buffer.value().is_floating_point()) add(buffer.key(), buffer.value());
}

void WeightAverage::step(std::int64_t number, bool warm) {
  if (!is_kept() || number % every_ != 0) return;
  const torch::NoGradGuard no_grad;
  if (warm && number > every_)
    at::_foreach_lerp_(average_, own_, 1 - decay_);
  else
    at::_foreach_copy_(average_, own_);
}

void WeightAverage::swap() {
  if (!is_kept()) return;
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < own_.size(); ++i) {
    const torch::Tensor own = own_[i].clone();
    own_[i].copy_(average_[i]);
    average_[i].copy_(own);
  }
}

void WeightAverage::add_to(weights::TensorMap& model, weights::TensorMap& beside) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    model[names_[i]] = average_[i];
    beside[names_[i] + kOwn] = own_[i];
  }
}

void WeightAverage::restore(const weights::TensorMap& beside) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    average_[i].copy_(own_[i]);
    const auto found = beside.find(names_[i] + kOwn);
    if (found == beside.end() || found->second.sizes() != own_[i].sizes())
      throw Error(ExitCode::kBadData, "the checkpoint's average has no fitting tensor \"" + names_[i] + "\"",
                  "remove the checkpoint to start again");
    own_[i].copy_(found->second);
  }
}

}  // namespace tune::trainer::loop
