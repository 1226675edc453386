#include "trainer/loop/trained_part.h"

#include "trainer/weights/tensor_hash.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::loop {

TrainedPart::TrainedPart(torch::nn::Module& module) : module_(module) {
  for (const auto& parameter : module.named_parameters())
    if (!parameter.value().requires_grad()) frozen_[parameter.key()] = parameter.value();
  if (frozen_.empty()) return;
  for (const auto& buffer : module.named_buffers())
    first_buffers_[buffer.key()] = buffer.value().detach().clone();
  Sha256 hash;
  weights::add_tensors(hash, frozen_);
  weights::add_tensors(hash, first_buffers_);
  base_hash_ = hash.hex();
}

weights::TensorMap TrainedPart::now() const {
  weights::TensorMap held = weights::state_dict(module_);
  for (const auto& [name, tensor] : frozen_) held.erase(name);
  for (const auto& [name, first] : first_buffers_)
    if (held.at(name).equal(first)) held.erase(name);
  return held;
}

void TrainedPart::restore(const weights::TensorMap& held) {
  weights::load_state_dict(module_, first_buffers_);
  const weights::LoadReport report = weights::load_state_dict(module_, held);
  std::string wrong;
  if (!report.mismatched.empty()) wrong = report.mismatched.front().name + " has another shape";
  if (!report.unexpected.empty()) wrong = "the model has no " + report.unexpected.front();
  for (const std::string& name : report.missing)
    if (!frozen_.contains(name) && !first_buffers_.contains(name)) wrong = "no tensor " + name;
  if (!wrong.empty()) throw Error(ExitCode::kBadData, "the checkpoint does not fit the model: " + wrong);
}

weights::TensorMap TrainedPart::whole(const weights::TensorMap& held) const {
  weights::TensorMap all = held;
  all.insert(first_buffers_.begin(), first_buffers_.end());
  all.insert(frozen_.begin(), frozen_.end());
  return all;
}

}  // namespace tune::trainer::loop
